<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use DB;

/**
 * Copies the points of one command to another, from both of the core's tables, in slices; a date is never there twice.
 */
final class PointCopy
{
    private const TABLES = ['history' => 'historyArch', 'historyArch' => 'history'];

    /** Points that are copied by one statement, which holds locks. */
    private const SLICE_POINTS = 20000;

    private const NEVER = '9999-12-31 23:59:59';

    /** Prefixes of units, as powers of ten. */
    private const PREFIXES = ['m' => -3, '' => 0, 'k' => 3, 'M' => 6];

    /** @return array {points, first, last}: how many, and the local dates of the first and the last */
    public static function extent($cmd): array
    {
        $points = 0;
        $dates = [];
        foreach (array_keys(self::TABLES) as $table) {
            $row = DB::Prepare(
                'SELECT COUNT(*) AS points, MIN(`datetime`) AS first, MAX(`datetime`) AS last FROM `' . $table . '`
                WHERE `cmd_id` = :cmd',
                ['cmd' => (int) $cmd],
                DB::FETCH_TYPE_ROW
            );
            $points += (int) ($row['points'] ?? 0);
            $dates = array_merge($dates, array_filter([$row['first'] ?? null, $row['last'] ?? null]));
        }
        return ['points' => $points, 'first' => $dates === [] ? null : min($dates), 'last' => $dates === [] ? null : max($dates)];
    }

    /**
     * Copies points; those whose date the target has already are left out, so that copying twice does no harm.
     *
     * @param string|null $after local date: only later points
     * @param string|null $before local date: only earlier points
     * @param float $factor by which values are multiplied, see factor()
     */
    public static function copy($from, $to, ?string $after, ?string $before, float $factor): void
    {
        foreach (self::TABLES as $table => $other) {
            $start = $after ?? '0000-00-00 00:00:00';
            do {
                $end = self::endOfSlice($table, $from, $start);
                $value = $factor === 1.0 ? '`value`' : 'ROUND(`value` * ' . self::number($factor) . ', 6)';
                DB::Prepare(
                    'INSERT IGNORE INTO `' . $table . '` (`cmd_id`, `datetime`, `value`)
                    SELECT :to, s.`datetime`, ' . str_replace('`value`', 's.`value`', $value) . ' FROM `' . $table . '` s
                    WHERE s.`cmd_id` = :from AND s.`datetime` > :start AND s.`datetime` <= :end AND s.`datetime` < :before
                    AND NOT EXISTS (
                        SELECT 1 FROM `' . $other . '` o WHERE o.`cmd_id` = :same AND o.`datetime` = s.`datetime`)',
                    [
                        'to' => (int) $to, 'from' => (int) $from, 'start' => $start, 'end' => $end, 'same' => (int) $to,
                        'before' => $before ?? self::NEVER,
                    ],
                    DB::FETCH_TYPE_ROW
                );
                $isLast = $end === self::NEVER;
                $start = $end;
            } while (!$isLast);
        }
    }

    /** The factor from one unit to another that differs by its prefix; null if the units are not related. */
    public static function factor(string $from, string $to): ?float
    {
        if (self::plain($from) === self::plain($to) || trim($from) === '' || trim($to) === '') {
            return 1.0;
        }
        foreach (self::PREFIXES as $before => $low) {
            foreach (self::PREFIXES as $after => $high) {
                $base = substr($from, strlen($before));
                $isRelated = $base !== '' && strpos($from, $before) === 0 && $to === $after . $base;
                if ($isRelated && ($before === '' || $after === '' || $low !== $high)) {
                    return 10.0 ** ($low - $high);
                }
            }
        }
        return null;
    }

    private static function plain(string $unit): string
    {
        return mb_strtolower(str_replace([' ', '.'], '', $unit));
    }

    private static function endOfSlice(string $table, $cmd, string $start): string
    {
        $row = DB::Prepare(
            'SELECT `datetime` AS date FROM `' . $table . '` WHERE `cmd_id` = :cmd AND `datetime` > :start
            ORDER BY `datetime` LIMIT 1 OFFSET ' . self::SLICE_POINTS,
            ['cmd' => (int) $cmd, 'start' => $start],
            DB::FETCH_TYPE_ROW
        );
        return $row['date'] ?? self::NEVER;
    }

    private static function number(float $factor): string
    {
        return rtrim(number_format($factor, 9, '.', ''), '0') . '0';
    }
}
