<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;

/**
 * All panels of a roof in one tile: a cell for each, with its power and its day. The browser marks the odd one out.
 */
final class Roof
{
    private const POWER = 'inverter.power';
    private const ENERGY = 'inverter.energy';

    /** @return array[] {name, power: cmd, energy: cmd|null} of the equipment of a connection that are panels */
    public static function panels(jeenergie $connection): array
    {
        $panels = [];
        foreach ($connection->equipment() as $each) {
            if ($each->getIsEnable() != 1) {
                continue;
            }
            $found = [];
            foreach ($each->rows() as $logicalId => $row) {
                $measures = $row['measures'] ?? '';
                $quantity = is_array($measures) ? $measures['quantity'] : $measures;
                if (in_array($quantity, [self::POWER, self::ENERGY], true)) {
                    $found[$quantity] = $logicalId;
                }
            }
            // A type that says itself how it is shown, such as a group of panels, is not a panel.
            $tile = Catalogue::part($each->backend(), $each->type())['tile'] ?? [];
            if (isset($found[self::POWER]) && !isset($tile['parts'])) {
                $panels[] = self::panel($each, $found);
            }
        }
        usort($panels, fn(?array $a, ?array $b): int => strnatcasecmp($a['name'] ?? '', $b['name'] ?? ''));
        return array_values(array_filter($panels));
    }

    private static function panel(jeenergie $eqLogic, array $found): ?array
    {
        $power = $eqLogic->getCmd('info', $found[self::POWER]);
        $energy = isset($found[self::ENERGY]) ? $eqLogic->getCmd('info', $found[self::ENERGY]) : null;
        if (!is_object($power)) {
            return null;
        }
        return ['name' => (string) $eqLogic->getName(), 'power' => $power, 'energy' => is_object($energy) ? $energy : null];
    }

    public static function html(array $panels): string
    {
        $cells = '';
        foreach ($panels as $panel) {
            $day = $panel['energy'] === null ? '' : '<span class="jtDay">' . Parts::value($panel['energy']) . '</span>';
            $cells .= '<li class="jtPanel"><span class="jtName">' . Parts::text($panel['name']) . '</span><b>'
                . Parts::value($panel['power']) . '</b>' . $day
                . '<span class="jtOdd" hidden>' . Parts::text(__('produit moins que les autres', __FILE__)) . '</span></li>';
        }
        return '<ul class="jtRoof" aria-label="' . Parts::text(__('Panneaux', __FILE__)) . '">' . $cells . '</ul>';
    }
}
