<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use cmd;
use config;
use DB;
use Jeenergie\Daemon\Socket;
use Jeenergie\Storage\Moment;

/**
 * Gives the daemon what Jeedom's history holds of a command, page by page: the house fills its book with it.
 *
 * Once a day the core replaces the points of each hour by one, which has the date of the first of them and their mean,
 * greatest or least value. Each point has the moment at which its value held: the middle of the package for a mean, its
 * end for a greatest value, as of a counter.
 */
final class Past
{
    private const MOST_POINTS = 2000;

    private const TIMEOUT_S = 5.0;

    /** @param array $event {begin, end: Unix times of the asked span, equipment and command or source: as in the answer} */
    public static function answer(array $event, ?cmd $cmd): void
    {
        $page = $cmd === null ? ['points' => [], 'next' => null]
            : self::page($cmd, (int) $event['begin'], (int) $event['end']);
        $names = array_intersect_key($event, array_flip(['equipment', 'command', 'source', 'begin', 'end']));
        Socket::request('past', $names + $page + ['step' => self::package()], self::TIMEOUT_S);
    }

    /** @return array {points: [[Unix time, value], …] of the span, as many as a page holds; next: Unix time or null} */
    private static function page(cmd $cmd, int $begin, int $end): array
    {
        $step = self::package();
        $points = [];
        $rows = $begin < $end ? self::rows($cmd, $begin - $step, $end + $step) : [];
        $mode = (string) $cmd->getConfiguration('historizeMode', 'avg');
        foreach ($rows as $place => $row) {
            $moment = self::moment($rows, $place, $mode, $step);
            if ($moment >= $end || ($moment >= $begin && count($points) >= self::MOST_POINTS)) {
                return ['points' => $points, 'next' => $moment];
            }
            if ($moment >= $begin && is_numeric($row['value'])) {
                $points[] = [$moment, (float) $row['value']];
            }
        }
        if (count($rows) > self::MOST_POINTS) {
            return ['points' => $points, 'next' => $points === [] ? null : end($points)[0] + 1];
        }
        return ['points' => $points, 'next' => self::first($cmd, max($begin, $end))];
    }

    /** @return array[] {datetime, value, archived}, by date, one more than a page holds */
    private static function rows(cmd $cmd, int $begin, int $end): array
    {
        $part = '(SELECT `datetime`, `value`, %d AS `archived` FROM `%s` WHERE `cmd_id` = :cmd AND `datetime` >= :begin'
            . ' AND `datetime` < :end AND `value` IS NOT NULL ORDER BY `datetime` LIMIT %d)';
        $most = self::MOST_POINTS + 2;
        $sql = sprintf($part, 1, 'historyArch', $most) . ' UNION ALL ' . sprintf($part, 0, 'history', $most)
            . ' ORDER BY `datetime` LIMIT ' . $most;
        $values = ['cmd' => (int) $cmd->getId(), 'begin' => Moment::text($begin), 'end' => Moment::text($end)];
        return DB::Prepare($sql, $values, DB::FETCH_TYPE_ALL);
    }

    /** When the value of a row held. */
    private static function moment(array $rows, int $place, string $mode, int $step): int
    {
        $row = $rows[$place];
        $at = Moment::parse($row['datetime']);
        if ($row['archived'] != 1 || !in_array($mode, ['avg', 'max'], true)) {
            return $at;
        }
        foreach ([$place - 1, $place + 1] as $beside) {
            $other = $rows[$beside] ?? null;
            if ($other !== null && intdiv(Moment::parse($other['datetime']), $step) === intdiv($at, $step)) {
                return $at; // more than one of a package: they are as they came
            }
        }
        return intdiv($at, $step) * $step + ($mode === 'avg' ? intdiv($step, 2) : $step - 1);
    }

    /** @return int|null Unix time of the first point from a moment on */
    private static function first(cmd $cmd, int $from): ?int
    {
        $part = '(SELECT MIN(`datetime`) AS `first` FROM `%s` WHERE `cmd_id` = :cmd AND `datetime` >= :from)';
        $sql = 'SELECT MIN(`first`) AS `first` FROM (' . sprintf($part, 'historyArch') . ' UNION ALL '
            . sprintf($part, 'history') . ') AS `both`';
        $found = DB::Prepare($sql, ['cmd' => (int) $cmd->getId(), 'from' => Moment::text($from)], DB::FETCH_TYPE_ROW);
        return ($found['first'] ?? '') == '' ? null : max($from, Moment::parse($found['first']));
    }

    /** Seconds of a package of the core's archive. */
    private static function package(): int
    {
        return min(86400, 3600 * max(1, (int) config::byKey('historyArchivePackage', 'core', 1)));
    }
}
