<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use eqLogic;
use jeenergie;
use Jeenergie\Contract\Catalogue;

/**
 * Gas and water beside the balance: what each meter used in a period and what that cost, from the daily figures in Jeedom's
 * history. What is gas or water, in which unit it is paid and by which settings: `fluids` of the vocabulary.
 *
 * Each meter stands for itself: two of them may count the same gas, so they are named and never added. What is not known
 * is left out.
 */
final class Fluids
{
    private const DAILY = ['day', 'measure', 'counter'];

    /** Of a day's date, what names its row in the balance. */
    private const ROWS = ['day' => [10, ''], 'month' => [7, '-01'], 'year' => [4, '-01-01']];

    /** @var array settings of the house */
    private $settings;

    /** @var array<string, array> {<fluid>: [[the day from which it holds or '', €], ...]}, oldest first */
    private $prices;

    /** @param array $prices as the daemon's balance has them under `fluidPrices` */
    public function __construct(array $settings, array $prices)
    {
        $this->settings = $settings;
        $this->prices = $prices;
    }

    /**
     * @return array[] [{name, kind, unit, total, energy: kWh or null, cost: € or null, known: days or null, days,
     *     rows, energies, costs: {<at>: number}}]; a meter without a figure in the period is left out
     */
    public function of(string $from, string $to, string $per): array
    {
        $found = [];
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if (!$eqLogic->isConnection() && $eqLogic->hasRight('r')) {
                $found[] = $this->one($eqLogic, $from, min($to, date('Y-m-d')), $per);
            }
        }
        return array_values(array_filter($found));
    }

    private function one(jeenergie $eqLogic, string $from, string $to, string $per): ?array
    {
        [$volume, $money] = self::series($eqLogic);
        if ($volume === null) {
            return null;
        }
        [$cmd, $daily, $fluid] = $volume;
        [$unit, $scale] = Panel::shownAs($cmd->getUnite());
        $days = array_map(fn(float $each): float => $each * $scale, Panel::daily((int) $cmd->getId(), $daily, $from, $to));
        if ($days === []) {
            return null;
        }
        $paid = Catalogue::quantities()['fluids'][$fluid];
        $factor = $unit === $paid['unit'] ? 1.0 : (float) ($this->settings[$paid['energyBy'] ?? ''] ?? 0);
        $energies = $unit === $paid['unit'] ? [] : array_map(fn(float $each): float => $each * $factor, $days);
        $costs = $money === null ? [] : Panel::daily((int) $money[0]->getId(), $money[1], $from, $to);
        if (array_sum($costs) == 0) { // a meter that was not told the price says 0
            $costs = $this->costs($energies ?: $days, $this->prices[$fluid] ?? []);
        }
        return [
            'name' => $eqLogic->getName(),
            'kind' => $fluid,
            'unit' => $unit,
            'total' => round(array_sum($days), 3),
            'energy' => $energies === [] ? null : round(array_sum($energies), 1),
            'cost' => $costs === [] || in_array(null, $costs, true) ? null : round(array_sum($costs), 2),
            // A counter that stands still has no history: its days without a figure are no days that are not known.
            'known' => $daily === 'counter' ? null : count($days),
            'days' => 1 + (int) round((strtotime($to) - strtotime((string) max($from, array_key_first($days)))) / 86400),
            'rows' => self::rows($days, $per),
            'energies' => self::rows($energies, $per),
            'costs' => self::rows($costs, $per),
        ];
    }

    /** @return array [[cmd, per, fluid] or null, [cmd, per] or null]: what an equipment counts of a fluid, and its cost */
    private static function series(jeenergie $eqLogic): array
    {
        $volume = $money = null;
        $quantities = Catalogue::quantities()['quantities'];
        foreach ($eqLogic->rows() as $logicalId => $row) {
            $measures = House::measures($row);
            $daily = in_array($measures['per'], self::DAILY, true) && $measures['part'] === '';
            $cmd = $daily ? $eqLogic->getCmd('info', $logicalId) : null;
            if (!is_object($cmd)) {
                continue;
            }
            $quantity = $quantities[$measures['quantity']] ?? [];
            if ($volume === null && isset($quantity['fluid'])) {
                $volume = [$cmd, $measures['per'], $quantity['fluid']];
            } elseif ($money === null && ($quantity['group'] ?? '') === 'cost') {
                $money = [$cmd, $measures['per']];
            }
        }
        return [$volume, $money];
    }

    /** @return array<string, float|null> what the days cost; null before the first price */
    private function costs(array $days, array $prices): array
    {
        $costs = [];
        foreach ($prices === [] ? [] : $days as $day => $amount) {
            $costs[$day] = null;
            foreach ($prices as [$since, $price]) {
                $costs[$day] = $day >= $since ? $amount * $price : $costs[$day];
            }
        }
        return $costs;
    }

    /** @return object sums of days by the row they belong to; hours have none, nor has a row with a day that is not known */
    private static function rows(array $days, string $per): object
    {
        $sums = [];
        foreach (isset(self::ROWS[$per]) ? $days : [] as $day => $value) {
            $at = substr($day, 0, self::ROWS[$per][0]) . self::ROWS[$per][1];
            $sums[$at][] = $value;
        }
        $known = array_filter($sums, fn(array $each): bool => !in_array(null, $each, true));
        return (object) array_map(fn(array $each): float => round(array_sum($each), 3), $known);
    }
}
