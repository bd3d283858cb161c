<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use cmd;
use DB;
use eqLogic;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;

/**
 * Data of the energy panel: the commands that measure a quantity of energy or money, and their daily figures.
 *
 * Rows of the catalogue are selected by the quantity they "measure". Where no row of a kind has one, energy counters are
 * recognised by their generic type. The browser sums days up to months and years and compares them.
 */
final class Panel
{
    private const KINDS_BY_GENERIC_TYPE = ['CONSUMPTION' => 'consumption', 'PRODUCTION' => 'production'];
    private const ENERGY = 'Wh';
    private const DAILY = ['day', 'counter', 'measure'];

    /** @return array[] [{id, name, object, type, series: [{cmd, name, kind, per, part, color, ink, unit}]}] the user may see */
    public static function equipment(): array
    {
        $found = [];
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if ($eqLogic->isConnection() || !$eqLogic->hasRight('r')) {
                continue;
            }
            $series = self::series($eqLogic);
            if ($series !== []) {
                $object = $eqLogic->getObject();
                $found[] = [
                    'id' => (string) $eqLogic->getId(),
                    'name' => $eqLogic->getName(),
                    'object' => is_object($object) ? $object->getName() : '',
                    'type' => Catalogue::translated($eqLogic->backend())['equipment'][$eqLogic->type()]['name'] ?? '',
                    'series' => $series,
                ];
            }
        }
        // Most series first, such as a meter with costs; single solar panels and phone lines come last.
        usort($found, fn(array $a, array $b): int => count($b['series']) <=> count($a['series'])
            ?: strnatcasecmp($a['name'], $b['name']));
        return $found;
    }

    /** @return array[] the historized series of an equipment: daily figures, counters and single measures */
    private static function series(jeenergie $eqLogic): array
    {
        $rows = $eqLogic->rows();
        $named = $counters = [];
        foreach ($eqLogic->getCmd('info') as $cmd) {
            $row = $rows[$cmd->getLogicalId()] ?? [];
            if ($cmd->getIsHistorized() != 1) {
                continue;
            }
            $panel = Catalogue::panel($row);
            if ($panel === null) {
                $counters[] = self::counter($row, $cmd);
            } elseif (in_array($panel['per'], self::DAILY, true)) {
                $named[] = self::one($panel, $cmd);
            }
        }
        $kinds = array_column($named, 'kind');
        $others = array_filter($counters, fn(?array $each): bool => $each && !in_array($each['kind'], $kinds, true));
        return array_merge($named, array_values($others));
    }

    private static function one(array $hint, cmd $cmd): array
    {
        $unit = $cmd->getUnite();
        return $hint + [
            'cmd' => (string) $cmd->getId(),
            'name' => $cmd->getName(),
            'part' => '',
            'color' => '',
            'ink' => '',
            'unit' => self::shownAs($unit)[0],
        ];
    }

    /** A counter without a quantity, by its generic type; null if it is not one of energy. */
    private static function counter(array $row, cmd $cmd): ?array
    {
        $kind = self::KINDS_BY_GENERIC_TYPE[$cmd->getGeneric_type()] ?? null;
        $counts = ($row['historizeMode'] ?? '') === 'max' && self::base($cmd->getUnite()) === self::ENERGY;
        return $kind !== null && $counts ? self::one(['kind' => $kind, 'per' => 'counter'], $cmd) : null;
    }

    /**
     * Daily figures of some commands, energy in kWh.
     *
     * @param array $request {cmds: [ids], from, to: "YYYY-MM-DD"}
     * @return array {<cmd id>: {<YYYY-MM-DD>: number}}
     */
    public static function days(array $request): array
    {
        $from = self::day($request['from'] ?? '');
        $to = self::day($request['to'] ?? '');
        $wanted = array_map('strval', (array) ($request['cmds'] ?? []));
        $days = [];
        foreach (self::equipment() as $equipment) {
            foreach ($equipment['series'] as $each) {
                if (in_array($each['cmd'], $wanted, true)) {
                    $days[$each['cmd']] = (object) self::daysOf($each, $from, $to);
                }
            }
        }
        return $days;
    }

    private static function day($text): string
    {
        if (!is_string($text) || !preg_match('/^\d{4}-\d\d-\d\d$/D', $text)) {
            throw new Exception(__('Date incorrecte.', __FILE__));
        }
        return $text;
    }

    /** @return array {<YYYY-MM-DD>: number}, energy in kWh */
    private static function daysOf(array $series, string $from, string $to): array
    {
        $cmd = (int) $series['cmd'];
        $scale = self::shownAs(cmd::byId($cmd)->getUnite())[1];
        return array_map(fn(float $value): float => round($value * $scale, 3), self::daily($cmd, $series['per'], $from, $to));
    }

    /** The unit of the vocabulary that this one is of. */
    private static function base(string $unit): string
    {
        return Catalogue::quantities()['units'][$unit]['of'] ?? $unit;
    }

    /** @return array{0: string, 1: float} the unit in which amounts of a period are shown, and what makes them so */
    public static function shownAs(string $unit): array
    {
        $units = Catalogue::quantities()['units'];
        $base = self::base($unit);
        $times = $units[$unit]['times'] ?? 1;
        foreach ($units as $name => $each) {
            if (($each['shown'] ?? false) && $each['of'] === $base) {
                return [$name, $times / $each['times']];
            }
        }
        return [$base, (float) $times];
    }

    /** @return array<string, float> figures per day in the command's own unit; `$per`: day, measure or counter */
    public static function daily(int $cmd, string $per, string $from, string $to): array
    {
        $days = self::rows($per === 'measure' ? 'SUM' : 'MAX', $cmd, $from, $to);
        return $per === 'counter' ? self::growth($days, self::before($cmd, $from) ?? self::first($cmd, $days)) : $days;
    }

    /**
     * Growth of a counter per day. A counter that stands still has no history, so that growth counts for the day on which it
     * was recorded. A day on which the counter was reset has no figure. The first day of all counts from its first value.
     */
    private static function growth(array $days, ?float $last): array
    {
        $growth = [];
        foreach ($days as $day => $value) {
            if ($last !== null && $value >= $last) {
                $growth[$day] = $value - $last;
            }
            $last = $value;
        }
        return $growth;
    }

    /** The first value of a counter that has none before these days: its first day counts from there. */
    private static function first(int $cmd, array $days): ?float
    {
        $day = array_key_first($days);
        return $day === null ? null : self::rows('MIN', $cmd, $day, $day)[$day] ?? null;
    }

    /**
     * Since when there is history of all the equipment that these commands belong to.
     *
     * @param array $request {cmds: [ids]}
     * @return array {since: "YYYY-MM-DD", or "" if none has any}
     */
    public static function since(array $request): array
    {
        $wanted = array_map('strval', (array) ($request['cmds'] ?? []));
        $since = '';
        foreach (self::equipment() as $equipment) {
            $first = [];
            foreach (array_intersect(array_column($equipment['series'], 'cmd'), $wanted) as $cmd) {
                $sql = 'SELECT MIN(`datetime`) AS `first` FROM (' . self::points('1 = 1', '%s') . ') AS `points`';
                $first[] = (string) (DB::Prepare($sql, ['cmd' => (int) $cmd], DB::FETCH_TYPE_ROW)['first'] ?? '');
            }
            $known = array_filter($first);
            $since = $known === [] ? $since : max($since, substr(min($known), 0, 10));
        }
        return ['since' => $since];
    }

    /** @return array<string, float> one figure per day, from the core's two tables of history */
    private static function rows(string $figure, int $cmd, string $from, string $to): array
    {
        $sql = 'SELECT DATE(`datetime`) AS `day`, ' . $figure . '(`value` + 0) AS `value` FROM ('
            . self::points('`datetime` BETWEEN :from AND :to', '%s') . ') AS `points` GROUP BY DATE(`datetime`) ORDER BY `day`';
        $values = ['cmd' => $cmd, 'from' => $from . ' 00:00:00', 'to' => $to . ' 23:59:59'];
        return array_map('floatval', array_column(DB::Prepare($sql, $values, DB::FETCH_TYPE_ALL), 'value', 'day'));
    }

    /** The last value before a day. */
    private static function before(int $cmd, string $day): ?float
    {
        $newest = ' ORDER BY `datetime` DESC LIMIT 1';
        $sql = self::points('`datetime` < :from', '(%s' . $newest . ')') . $newest;
        $found = DB::Prepare($sql, ['cmd' => $cmd, 'from' => $day . ' 00:00:00'], DB::FETCH_TYPE_ALL);
        return $found === [] ? null : (float) $found[0]['value'];
    }

    /** SQL that selects points from both tables; `$each` is a sprintf format around each of the two queries. */
    private static function points(string $when, string $each): string
    {
        $part = 'SELECT `datetime`, `value` FROM `%s` WHERE `cmd_id` = :cmd AND ' . $when;
        $tables = array_map(fn(string $table): string => sprintf($each, sprintf($part, $table)), ['history', 'historyArch']);
        return implode(' UNION ALL ', $tables);
    }

    /** The tile of an equipment for the dashboard or the mobile application: {html}. */
    public static function tile(array $request): array
    {
        $eqLogic = eqLogic::byId((int) ($request['id'] ?? 0));
        if (!is_object($eqLogic) || $eqLogic->getEqType_name() !== 'jeenergie' || !$eqLogic->hasRight('r')) {
            throw new Exception(__('Cet équipement n\'existe pas, ou vous n\'y avez pas accès.', __FILE__));
        }
        return ['html' => $eqLogic->toHtml(($request['version'] ?? '') === 'mobile' ? 'mobile' : 'dashboard')];
    }
}
