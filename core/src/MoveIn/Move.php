<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use Exception;
use jeenergie;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Equipment\Names;
use Jeenergie\Storage\Row;

/**
 * Moves a former plugin in, step by step. Each step notes in the journal what it is about to do, and may be done again:
 * a move that was interrupted goes on where it was.
 */
final class Move
{
    /** The steps, in order, with the share of the work, in percent, that is done when they begin. */
    public const STEPS = [
        'stop' => 0, 'makeRoom' => 3, 'connections' => 5, 'equipment' => 10, 'history' => 20, 'references' => 75,
        'switchOff' => 88, 'seam' => 92, 'enable' => 97,
    ];

    /** How often references are searched again: others may write at the same time. */
    private const SEARCHES = 3;

    /** @var Former */
    private $former;

    /** @var Journal */
    private $journal;

    public function __construct(Former $former, Journal $journal)
    {
        $this->former = $former;
        $this->journal = $journal;
    }

    /** Notes the plan, and what is needed to put everything back. */
    public static function begin(Former $former): Journal
    {
        $before = [];
        foreach ($former->equipment() as $id => $row) {
            $before[$id] = [
                'name' => $row['name'], 'isEnable' => (int) $row['isEnable'], 'isVisible' => (int) $row['isVisible'],
            ];
        }
        return Journal::begin($former->plugin(), [
            'plan' => (new MovePlan($former))->made(),
            'before' => $before,
            'active' => $former->isActive(),
            'daemon' => $former->isDaemonAutomatic(),
        ]);
    }

    public function run(): void
    {
        foreach (self::STEPS as $step => $percent) {
            if (!$this->journal->hasDone($step)) {
                Background::progress($this->former->plugin(), $step, $percent);
                $this->$step();
                $this->journal->done($step);
            }
        }
        $this->journal->note(['state' => 'done', 'ended' => date('Y-m-d H:i:s')]);
        Background::progress($this->former->plugin(), '', 100);
    }

    /** @return array[] the planned equipment that is taken over */
    private function equipmentToMove(): array
    {
        return array_filter($this->journal->get('plan')['equipment'], fn(array $each): bool => $each['reason'] === '');
    }

    /** First of all where two programs would spoil each other's access. */
    private function stop(): void
    {
        if ($this->former->recipe()->stopsPlugin()) {
            $this->former->setActive(false);
        }
    }

    /** Two equipment of an object cannot have the same name. */
    private function makeRoom(): void
    {
        foreach ($this->equipmentToMove() as $each) {
            $name = $this->journal->get('before')[$each['id']]['name'];
            $suffix = ' (' . $this->former->title() . ')';
            Row::update('eqLogic', $each['id'], ['name' => mb_strcut($name, 0, 127 - strlen($suffix)) . $suffix]);
        }
    }

    private function connections(): void
    {
        $plan = new MovePlan($this->former);
        $made = $this->journal->get('connections', []);
        foreach ($this->journal->get('plan')['connections'] as $index => $planned) {
            if (isset($made[$index]) && is_object(jeenergie::byId($made[$index]['id']))) {
                continue;
            }
            $isOurs = $planned['known'] === null;
            $made[$index] = ['id' => '', 'created' => $isOurs, 'marker' => $plan->marker($index)];
            $this->journal->note(['connections' => $made]);
            $known = $isOurs ? MovePlan::markedConnection($made[$index]['marker']) : jeenergie::byId($planned['known']);
            $connection = $known ?? Creation::connection(
                $this->former->backend(),
                $this->nameOf($planned['name']),
                $plan->config($index),
                $plan->marker($index)
            );
            $made[$index]['id'] = (string) $connection->getId();
            $this->journal->note(['connections' => $made]);
        }
    }

    private function equipment(): void
    {
        $rows = $this->former->equipment();
        $made = $this->journal->get('equipment', []);
        $pairs = $this->journal->get('pairs', []);
        foreach ($this->equipmentToMove() as $planned) {
            $before = $this->journal->get('before')[$planned['id']];
            $link = $this->journal->get('connections')[$planned['connection']];
            $connection = jeenergie::byId($link['id']);
            $eqLogic = $connection;
            $isOurs = $link['created'];
            if ($planned['type'] !== null) {
                // Several former ones may become one; the first gives it its place.
                $isOurs = $planned['known'] === null;
                $eqLogic = Creation::equipment(
                    $connection,
                    $planned['type'],
                    $planned['key'],
                    $before['name'],
                    $planned['config']
                );
            }
            $isFirst = !in_array((string) $eqLogic->getId(), array_column($made, 'to'), true)
                || ($made[$planned['id']]['first'] ?? false);
            $made[$planned['id']] = [
                'to' => (string) $eqLogic->getId(), 'created' => $isOurs, 'first' => $isFirst,
                'connection' => $planned['type'] === null,
            ];
            $this->journal->note(['equipment' => $made]);
            $row = ['isVisible' => $before['isVisible'], 'isEnable' => $before['isEnable']] + $rows[$planned['id']];
            $pairs += $this->commandsOf($planned, $eqLogic, $row, $isOurs && $isFirst, $before);
            $this->journal->note(['pairs' => $pairs]);
        }
        $this->made($pairs);
    }

    /** What was settings of the connection there and is an equipment here. */
    private function made(array $pairs): void
    {
        $plan = $this->journal->get('plan');
        $made = $this->journal->get('made', []);
        $cmds = array_merge([], ...array_column($plan['equipment'], 'commands'));
        foreach ($plan['made'] ?? [] as $index => $planned) {
            if ($planned['missing'] !== []) {
                continue;
            }
            $connection = jeenergie::byId($this->journal->get('connections')[$planned['connection']]['id']);
            $eqLogic = Creation::equipment($connection, $planned['type'], $planned['key'], $planned['key'], $planned['config']);
            $made[$index] = ['to' => (string) $eqLogic->getId(), 'created' => $planned['known'] === null];
            $this->journal->note(['made' => $made]);
            $wanted = array_filter($cmds, fn(array $each): bool => $each['to'] !== null && ($each['made'] ?? null) === $index);
            $ids = Creation::commands($eqLogic, array_column($wanted, 'to'));
            foreach ($wanted as $each) {
                $until = $planned['known'] === null ? null : $this->seamOf($ids[$each['to']]);
                $pairs[$each['id']] = ['to' => $ids[$each['to']], 'factor' => $each['factor'], 'until' => $until];
            }
            $this->journal->note(['pairs' => $pairs]);
        }
        $this->reportMade($plan['made'] ?? []);
    }

    private function reportMade(array $made): void
    {
        $sentences = [];
        foreach ($made as $planned) {
            if ($planned['missing'] !== []) {
                $sentences[] = sprintf(
                    __('« %1$s » n\'est pas repris, il manque : %2$s.', __FILE__),
                    $planned['key'],
                    implode(', ', $planned['missing'])
                );
            } elseif ($planned['note'] !== '') {
                $sentences[] = sprintf(__('%1$s : %2$s', __FILE__), $planned['key'], $planned['note']);
            }
        }
        if ($sentences !== []) {
            $this->journal->report($sentences);
        }
    }

    /** @return array[] {to, factor, until, seam} by the id of the former command */
    private function commandsOf(array $planned, jeenergie $eqLogic, array $row, bool $places, array $before): array
    {
        $wanted = array_filter($planned['commands'], fn(array $each): bool => $each['to'] !== null && !isset($each['made']));
        $ids = Creation::commands($eqLogic, array_values(array_unique(array_column($wanted, 'to'))));
        $formerCommands = $this->former->commands($planned['id']);
        $pairs = [];
        $shown = [];
        foreach ($wanted as $each) {
            $id = $ids[$each['to']] ?? null;
            if ($id !== null && isset($formerCommands[$each['id']])) {
                // What has a history already goes on with it: the former one ends where that begins.
                $until = $planned['known'] === null ? null : $this->seamOf($id);
                $pairs[$each['id']] = ['to' => $id, 'factor' => $each['factor'], 'until' => $until];
                $shown[$id] = $shown[$id] ?? $formerCommands[$each['id']];
            }
        }
        if ($places) {
            Creation::place($eqLogic, $row, $before['name'], $before['isEnable'] === 1);
            Creation::show($eqLogic, $shown);
            $tokens = new Tokens(Journal::column($pairs, 'to'), [$planned['id'] => $eqLogic->getId()]);
            Creation::display($eqLogic, $row, $tokens, Journal::column($pairs, 'to'));
        }
        return $pairs;
    }

    /** When the history of a command begins; where dates may differ within a day, as of daily figures, that day. */
    private function seamOf(string $cmd): ?string
    {
        $first = PointCopy::extent($cmd)['first'];
        return $first === null || !$this->former->recipe()->isByName() ? $first : substr($first, 0, 10) . ' 00:00:00';
    }

    private function history(): void
    {
        $pairs = $this->journal->get('pairs', []);
        $done = 0;
        foreach ($pairs as $from => $pair) {
            if ($pair['factor'] !== null && !isset($pair['seam'])) {
                $last = PointCopy::extent($from)['last'];
                PointCopy::copy($from, $pair['to'], null, $pair['until'], (float) $pair['factor']);
                $pairs[$from]['seam'] = $last ?? '0000-00-00 00:00:00';
                $this->journal->note(['pairs' => $pairs]);
            }
            $share = self::STEPS['references'] - self::STEPS['history'];
            $percent = self::STEPS['history'] + (int) ($share * ++$done / count($pairs));
            Background::progress($this->former->plugin(), 'history', $percent);
        }
    }

    private function references(): void
    {
        $references = new References($this->tokens(), $this->former->plugin());
        for ($n = 0; $n < self::SEARCHES; $n++) {
            $changes = array_values(array_filter($references->changes(), [References::class, 'fits']));
            if ($changes === []) {
                break;
            }
            $this->journal->note(['changes' => array_merge($this->journal->get('changes', []), $changes)]);
            array_map([References::class, 'apply'], $changes);
        }
        $this->reportLeft($references->changes());
        Background::forgetCaches();
    }

    /** @param array[] $left changes that could not be made */
    private function reportLeft(array $left): void
    {
        $this->journal->report(array_map(static function (array $change): string {
            $place = References::place($change);
            $sentence = References::fits($change)
                ? __('« %s » est modifié sans cesse par un autre programme : remplacez-y la commande à la main.', __FILE__)
                : __('« %s » est trop long pour les nouveaux identifiants : remplacez-y la commande à la main.', __FILE__);
            return sprintf($sentence, $place['name']);
        }, $left));
    }

    private function switchOff(): void
    {
        foreach ($this->equipmentToMove() as $each) {
            Row::update('eqLogic', $each['id'], ['isEnable' => 0, 'isVisible' => 0]);
        }
        $this->former->setDaemon(false);
    }

    /** What came to the former commands while their history was copied. */
    private function seam(): void
    {
        $pairs = $this->journal->get('pairs', []);
        foreach ($pairs as $from => $pair) {
            if (isset($pair['seam'])) {
                PointCopy::copy($from, $pair['to'], $pair['seam'], $pair['until'], (float) $pair['factor']);
                $pairs[$from]['seam'] = PointCopy::extent($from)['last'] ?? $pair['seam'];
            }
        }
        $this->journal->note(['pairs' => $pairs]);
    }

    /** Last, when everything else is in its place. A refusal of the vendor is reported, not a failure of the move. */
    private function enable(): void
    {
        foreach ($this->journal->get('connections', []) as $made) {
            $connection = jeenergie::byId($made['id']);
            try {
                if ($made['created'] && $connection instanceof jeenergie) {
                    Creation::enable($connection, true);
                }
            } catch (Exception $error) {
                $this->journal->report([sprintf(
                    __('« %1$s » est à activer par vous : %2$s', __FILE__),
                    $connection->getName(),
                    $error->getMessage()
                )]);
            }
        }
        DesiredState::changed();
    }

    private function tokens(): Tokens
    {
        return new Tokens(
            Journal::column($this->journal->get('pairs', []), 'to'),
            Journal::column($this->journal->get('equipment', []), 'to')
        );
    }

    private function nameOf(string $name): string
    {
        return Names::accepted($name) === '' ? $this->former->title() : $name;
    }
}
