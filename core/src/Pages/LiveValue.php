<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;

/**
 * The one value that says how an equipment does, for the list: a power if it measures one, else a temperature, a figure of
 * today, or the first value there is.
 *
 * Chosen by the quantities of the catalogue and the units and generic types of the commands, never by a system.
 */
final class LiveValue
{
    private const KINDS = ['power', 'share', 'energy', 'volume', 'money'];
    private const NOW = ['now', 'today', 'day', 'counter'];

    /** @return array {name, value, unit, date}, or [] if there is no command with a value */
    public static function of(jeenergie $eqLogic): array
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
        if ($best === null) {
            return [];
        }
        $value = $best->execCmd();
        if ($best->getSubType() === 'binary' && $value !== '') {
            $value = $value ? __('oui', __FILE__) : __('non', __FILE__);
        }
        return [
            'name' => $best->getName(),
            'value' => (string) $value,
            'unit' => (string) $best->getUnite(),
            'date' => (string) $best->getCollectDate(),
        ];
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
        return 1000000 + ($isNumber ? 0 : 100000) + ($cmd->getIsVisible() == 1 ? 0 : 1000000);
    }
}
