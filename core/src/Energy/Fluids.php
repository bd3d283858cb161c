<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use eqLogic;
use jeenergie;
use Jeenergie\Contract\Catalogue;

/**
 * Gas and water beside the balance: what each meter used in a period, from the daily figures in Jeedom's history.
 *
 * Each meter stands for itself: two of them may count the same gas, so they are named and never added. What is not known
 * is left out.
 */
final class Fluids
{
    /** Quantities of a fluid: {unit shown, kind}. */
    private const QUANTITIES = [
        'gas.energy' => ['unit' => 'kWh', 'kind' => 'gas'],
        'gas.volume' => ['unit' => 'm³', 'kind' => 'gas'],
        'water.volume' => ['unit' => 'm³', 'kind' => 'water'],
    ];
    private const SCALES = ['Wh' => 0.001, 'kWh' => 1.0, 'MWh' => 1000.0, 'l' => 0.001, 'L' => 0.001, 'm³' => 1.0];
    private const DAILY = ['day', 'measure', 'counter'];

    /** Of a day's date, what names its row in the balance. */
    private const ROWS = ['day' => [10, ''], 'month' => [7, '-01'], 'year' => [4, '-01-01']];

    /**
     * @param float $gasFactor kWh in a m³ of gas
     * @return array[] [{name, kind, unit, total, energy: kWh or null, cost: € or null, known: days or null, days,
     *     rows, costs: {<at>: number}}]; a meter without a figure in the period is left out
     */
    public static function of(string $from, string $to, string $per, float $gasFactor): array
    {
        $found = [];
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if (!$eqLogic->isConnection() && $eqLogic->hasRight('r')) {
                $found[] = self::one($eqLogic, $from, min($to, date('Y-m-d')), $per, $gasFactor);
            }
        }
        return array_values(array_filter($found));
    }

    private static function one(jeenergie $eqLogic, string $from, string $to, string $per, float $gasFactor): ?array
    {
        $fluid = $costs = null;
        $quantities = Catalogue::quantities()['quantities'];
        foreach ($eqLogic->rows() as $logicalId => $row) {
            $measures = House::measures($row);
            $daily = in_array($measures['per'], self::DAILY, true) && $measures['part'] === '';
            $cmd = $daily ? $eqLogic->getCmd('info', $logicalId) : null;
            if (!is_object($cmd)) {
                continue;
            }
            if ($fluid === null && isset(self::QUANTITIES[$measures['quantity']])) {
                $fluid = [$cmd, $measures['per'], self::QUANTITIES[$measures['quantity']]];
            } elseif ($costs === null && ($quantities[$measures['quantity']]['group'] ?? '') === 'cost') {
                $costs = [$cmd, $measures['per']];
            }
        }
        if ($fluid === null) {
            return null;
        }
        [$cmd, $daily, $what] = $fluid;
        $scale = self::SCALES[$cmd->getUnite()] ?? 1.0;
        $days = array_map(fn(float $each): float => $each * $scale, Panel::daily((int) $cmd->getId(), $daily, $from, $to));
        if ($days === []) {
            return null;
        }
        $spent = $costs === null ? [] : Panel::daily((int) $costs[0]->getId(), $costs[1], $from, $to);
        $total = round(array_sum($days), 3);
        return $what + [
            'name' => $eqLogic->getName(),
            'total' => $total,
            'energy' => $what['unit'] === 'm³' && $what['kind'] === 'gas' ? round($total * $gasFactor, 1) : null,
            'cost' => $spent === [] ? null : round(array_sum($spent), 2),
            // A counter that stands still has no history: its days without a figure are no days that are not known.
            'known' => $daily === 'counter' ? null : count($days),
            'days' => 1 + (int) round((strtotime($to) - strtotime((string) max($from, array_key_first($days)))) / 86400),
            'rows' => self::rows($days, $per),
            'costs' => self::rows($spent, $per),
        ];
    }

    /** @return array<string, float>|object sums of days by the row they belong to; hours have none */
    private static function rows(array $days, string $per)
    {
        $sums = [];
        foreach (isset(self::ROWS[$per]) ? $days : [] as $day => $value) {
            $at = substr($day, 0, self::ROWS[$per][0]) . self::ROWS[$per][1];
            $sums[$at] = ($sums[$at] ?? 0.0) + $value;
        }
        return (object) array_map(fn(float $sum): float => round($sum, 3), $sums);
    }
}
