<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Tiles\Parts;
use Jeenergie\Tiles\Plan;
use Jeenergie\Tiles\Subject;

/**
 * The one value that says how an equipment does, for the list: the figure of its tile; without one a power, a temperature
 * or a figure of today, else what its tile says in words, or the first value there is.
 *
 * Chosen by the quantities of the catalogue and the units and generic types of the commands, never by a system.
 */
final class LiveValue
{
    private const KINDS = ['power', 'share', 'energy', 'volume', 'money'];
    private const NO_QUANTITY = 1000000;
    private const NOW = ['now', 'today', 'day', 'counter'];

    /** @return array {name, text: as the tile writes it, '' if it is not known, date}, or [] if there is no command with a value */
    public static function of(jeenergie $eqLogic): array
    {
        $parts = array_filter(Plan::of(new Subject($eqLogic)), fn(array $part): bool => isset($part['cmd']));
        $figure = self::first($parts, ['figure']);
        if ($figure !== null) {
            return self::told($figure, $figure['label']);
        }
        [$best, $rank] = self::best($eqLogic);
        $state = $rank < self::NO_QUANTITY ? null : self::first($parts, ['state', 'switch']);
        if ($state !== null) {
            return self::told($state, (string) $state['cmd']->getName());
        }
        return $best === null ? [] : self::told(['part' => 'row', 'cmd' => $best], (string) $best->getName());
    }

    private static function first(array $parts, array $kinds): ?array
    {
        foreach ($parts as $part) {
            if (in_array($part['part'], $kinds, true)) {
                return $part;
            }
        }
        return null;
    }

    /** @param array $part a part of a tile: its words, and the word for its direction, are the list's as well */
    private static function told(array $part, string $name): array
    {
        $isKnown = (string) $part['cmd']->execCmd() !== '';
        $direction = isset($part['plus']) ? Parts::direction($part) . ' ' : '';
        return [
            'name' => $name,
            'text' => $isKnown ? $direction . Parts::plain($part) : '',
            'date' => (string) $part['cmd']->getCollectDate(),
        ];
    }

    /** @return array [the command that says most, by what it measures; null without any, its rank] */
    private static function best(jeenergie $eqLogic): array
    {
        $best = null;
        $rank = PHP_INT_MAX;
        $rows = $eqLogic->rows();
        foreach ($eqLogic->getCmd('info') as $order => $cmd) {
            $own = self::rank($rows[$cmd->getLogicalId()] ?? [], $cmd) + $order;
            if ($own < $rank) {
                [$best, $rank] = [$cmd, $own];
            }
        }
        return [$best, $rank];
    }

    /** The lower, the better; the order of the commands decides among equals. */
    private static function rank(array $row, cmd $cmd): int
    {
        $measures = $row['measures'] ?? null;
        $quantity = is_array($measures) ? $measures['quantity'] : (string) $measures;
        $per = is_array($measures) ? $measures['per'] : 'now';
        $known = Catalogue::quantities()['quantities'][$quantity] ?? [];
        $kind = array_search($known['kind'] ?? '', self::KINDS, true);
        $when = array_search($per, self::NOW, true);
        $isPart = is_array($measures) && isset($measures['part']);
        if ($kind !== false && $when !== false && !$isPart) {
            return 10000 * ($kind + 5 * $when) + ($cmd->getIsVisible() == 1 ? 0 : 1000);
        }
        if (in_array($cmd->getGeneric_type(), ['POWER', 'TEMPERATURE'], true)) {
            return 40000;
        }
        $isNumber = $cmd->getSubType() === 'numeric' && $cmd->getUnite() !== '';
        return self::NO_QUANTITY + ($isNumber ? 0 : 100000) + ($cmd->getIsVisible() == 1 ? 0 : 1000000);
    }
}
