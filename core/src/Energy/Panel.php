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
 * What the energy panel shows: the commands that the catalogue says are figures of energy, and their days.
 *
 * A row of the catalogue names itself by the quantity that it "measures"; where no row of a kind does, counters of energy are recognised by
 * their generic type. Months, years and comparisons are made of days in the browser.
 */
final class Panel
{
    private const COUNTERS = ['CONSUMPTION' => 'consumption', 'PRODUCTION' => 'production'];
    private const SCALES = ['Wh' => 0.001, 'kWh' => 1.0, 'MWh' => 1000.0];
    private const SUMMED = ['day', 'counter', 'measure'];

    /** @return array[] [{id, name, object, series: [{cmd, name, kind, per, part, color, unit}]}] that the user may see */
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
                    'series' => $series,
                ];
            }
        }
        // First those with the most to show, such as a meter with costs; single panels and lines come last.
        usort($found, fn(array $a, array $b): int => count($b['series']) <=> count($a['series'])
            ?: strnatcasecmp($a['name'], $b['name']));
        return $found;
    }

    /** @return array[] the figures of an equipment that have a history, by day, as a counter or measure by measure */
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
            } elseif (in_array($panel['per'], self::SUMMED, true)) {
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
            'unit' => isset(self::SCALES[$unit]) ? 'kWh' : $unit,
        ];
    }

    /** A counter that the catalogue does not name for the panel, by its generic type: all of a kind are one figure. */
    private static function counter(array $row, cmd $cmd): ?array
    {
        $kind = self::COUNTERS[$cmd->getGeneric_type()] ?? null;
        $counts = ($row['historizeMode'] ?? '') === 'max' && isset(self::SCALES[$cmd->getUnite()]);
        return $kind !== null && $counts ? self::one(['kind' => $kind, 'per' => 'counter'], $cmd) : null;
    }

    /**
     * The days of some commands.
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
        $scale = self::SCALES[cmd::byId($cmd)->getUnite()] ?? 1.0;
        $days = self::rows($series['per'] === 'measure' ? 'SUM' : 'MAX', $cmd, $from, $to);
        if ($series['per'] === 'counter') {
            $days = self::growth($days, self::before($cmd, $from));
        }
        return array_map(fn(float $value): float => round($value * $scale, 3), $days);
    }

    /**
     * What a counter has grown by each day. One that stood still for days has no history of them, so that a growth is
     * that of the day on which it is seen; nothing for a day of a reset.
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

    /** @return array<string, float> one figure a day out of both tables of the core: the recent and the older history */
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

    /** The points of both tables; `$each` is what stands around the question to each of them. */
    private static function points(string $when, string $each): string
    {
        $part = 'SELECT `datetime`, `value` FROM `%s` WHERE `cmd_id` = :cmd AND ' . $when;
        $tables = array_map(fn(string $table): string => sprintf($each, sprintf($part, $table)), ['history', 'historyArch']);
        return implode(' UNION ALL ', $tables);
    }

    /** The tile of an equipment, as on the dashboard or in the mobile application. */
    public static function tile(array $request): array
    {
        $eqLogic = eqLogic::byId((int) ($request['id'] ?? 0));
        if (!is_object($eqLogic) || $eqLogic->getEqType_name() !== 'jeenergie' || !$eqLogic->hasRight('r')) {
            throw new Exception(__('Cet équipement n\'existe pas, ou vous n\'y avez pas accès.', __FILE__));
        }
        return ['html' => $eqLogic->toHtml(($request['version'] ?? '') === 'mobile' ? 'mobile' : 'dashboard')];
    }
}
