<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use eqLogic;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Socket;

/**
 * What the page of a charge point shows: its commands, by what they measure and do, and the daemon's outlook and journal.
 */
final class Point
{
    private const MODE = 'chargePoint.mode';
    private const STATE = 'chargePoint.state';
    private const PERIOD = 'home.period';
    private const DAYS = 'goalDays';
    private const JOURNAL = 500;

    /** Colors of the periods that have no name of their own in the vocabulary. */
    private const OTHER_PERIODS = ['peak' => 'red'];

    /** @return array{points: array[]} the charge points that the user may see: {id, name} */
    public static function points(): array
    {
        $found = [];
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if (self::isPoint($eqLogic) && $eqLogic->hasRight('r')) {
                $found[] = ['id' => (string) $eqLogic->getId(), 'name' => $eqLogic->getName()];
            }
        }
        usort($found, fn(array $a, array $b): int => strnatcasecmp($a['name'], $b['name']));
        return ['points' => $found];
    }

    public static function isPoint(jeenergie $eqLogic): bool
    {
        if ($eqLogic->isConnection()) {
            return false;
        }
        foreach ($eqLogic->rows() as $row) {
            if (($row['does'] ?? '') === self::MODE) {
                return true;
            }
        }
        return false;
    }

    /** What does not change while the page is open. @param array $request {id: the first one without it} */
    public static function point(array $request): array
    {
        $points = self::points()['points'];
        $id = (string) ($request['id'] ?? '');
        if ($points === []) {
            return ['id' => null, 'points' => []];
        }
        $point = self::asked(['id' => $id === '' ? $points[0]['id'] : $id]);
        $commands = $infos = [];
        $file = 'catalogue/' . $point->backend() . '.json';
        $modes = $states = [];
        foreach ($point->rows() as $logicalId => $row) {
            $cmd = $point->getCmd(null, $logicalId);
            if (is_object($cmd) && isset($row['does'])) {
                $commands[substr($row['does'], strlen('chargePoint.'))] = (string) $cmd->getId();
            } elseif (is_object($cmd) && $cmd->getType() === 'info') {
                $infos[] = (string) $cmd->getId();
            }
            if (($row['does'] ?? '') === self::MODE) {
                foreach (Catalogue::choices($point->backend(), $row) as $mode => $name) {
                    $modes[] = ['mode' => (string) $mode, 'name' => $name];
                }
            }
            if (($row['measures'] ?? '') === self::STATE) {
                $states = array_map(fn(string $word): string => Catalogue::text($word, $file), $row['map']);
            }
        }
        return [
            'id' => (string) $point->getId(),
            'name' => $point->getName(),
            'points' => $points,
            'isAdmin' => isConnect('admin'),
            'mayAct' => $point->hasRight('x'),
            'commands' => (object) $commands,
            'infos' => $infos,
            'modes' => $modes,
            'states' => $states,
            'periods' => self::periods($point->backend()),
            'colors' => Catalogue::quantities()['colors'],
        ];
    }

    /** The daemon's outlook of a charge point, with the newest decisions. */
    public static function outlook(array $request): array
    {
        return Socket::request('outlook', ['equipment' => (string) self::asked($request)->getId()]);
    }

    /** Every decision that is kept: {entries}. */
    public static function journal(array $request): array
    {
        $id = (string) self::asked($request)->getId();
        return Socket::request('journal', ['equipment' => $id, 'limit' => self::JOURNAL]);
    }

    /** The days of the goal, a setting of the equipment. @param array $request {id, days: ["1" to "7"]} */
    public static function goalDays(array $request): array
    {
        $point = self::asked($request);
        if (!$point->hasRight('x')) {
            throw new Exception(__('Vous ne pouvez que regarder cette borne.', __FILE__));
        }
        $known = ['1', '2', '3', '4', '5', '6', '7'];
        $days = array_values(array_intersect($known, array_map('strval', array_filter(jeenergie::dictionary($request['days'] ?? null), 'is_scalar'))));
        $point->setConfiguration('config', [self::DAYS => $days] + $point->enteredSettings())->save();
        return ['days' => $days];
    }

    private static function asked(array $request): jeenergie
    {
        $point = eqLogic::byId((int) ($request['id'] ?? 0));
        if (!$point instanceof jeenergie || !self::isPoint($point) || !$point->hasRight('r')) {
            throw new Exception(__('Cette borne n\'existe pas, ou vous n\'y avez pas accès.', __FILE__));
        }
        return $point;
    }

    /** @return array<string, array{name: string, color: string}> periods of tariffs, by the daemon's word */
    private static function periods(string $backend): array
    {
        ['parts' => $parts, 'colors' => $colors] = Catalogue::quantities();
        $found = [];
        foreach (Catalogue::of($backend)['equipment'] as $type) {
            foreach ($type['commands'] as $row) {
                foreach (($row['measures'] ?? '') === self::PERIOD ? $row['map'] : [] as $period => $word) {
                    $color = $parts[$period]['color'] ?? self::OTHER_PERIODS[$period] ?? 'grid';
                    $found[$period] = ['name' => Catalogue::text($word, 'catalogue/' . $backend . '.json'), 'color' => $colors[$color]];
                }
            }
        }
        return $found;
    }
}
