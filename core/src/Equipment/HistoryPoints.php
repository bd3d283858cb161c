<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use config;
use DB;
use Jeenergie\Storage\Moment;
use jeenergieCmd;

/**
 * Stores dated measures in the table where the core's archiving would have put them.
 *
 * The core reads two tables together: "history" for what is younger than the archive time, and "historyArch", to which it
 * moves the rest once a day. A point in the wrong one, or in both, shows twice or loses a later correction.
 */
final class HistoryPoints
{
    private const ROWS_PER_QUERY = 500;

    /** @param array[] $points [[ISO 8601 moment, value], …] */
    public static function apply(jeenergieCmd $cmd, array $points): void
    {
        $values = [];
        foreach ($points as [$moment, $value]) {
            $values[Moment::parse((string) $moment)] = $cmd->formatValue($value);
        }
        if ($values === []) {
            return;
        }
        ksort($values);
        self::showNewest($cmd, array_key_last($values), end($values));
        if ($cmd->getIsHistorized() == 1) {
            self::write($cmd, $values);
        }
    }

    /** Whether a command has any history. */
    public static function exist(jeenergieCmd $cmd): bool
    {
        $query = 'SELECT 1 FROM `history` WHERE `cmd_id` = :cmd UNION ALL SELECT 1 FROM `historyArch` WHERE `cmd_id` = :cmd LIMIT 1';
        return DB::Prepare($query, ['cmd' => $cmd->getId()], DB::FETCH_TYPE_ALL) !== [];
    }

    /** The newest point of a command: [local date, value], or null. */
    public static function newest(jeenergieCmd $cmd): ?array
    {
        $part = '(SELECT `datetime`, `value` FROM `%s` WHERE `cmd_id` = :cmd AND `datetime` < :from ORDER BY `datetime` DESC LIMIT 1)';
        $query = sprintf($part, 'history') . ' UNION ALL ' . sprintf($part, 'historyArch') . ' ORDER BY `datetime` DESC LIMIT 1';
        $rows = DB::Prepare($query, ['cmd' => $cmd->getId(), 'from' => '9999-01-01'], DB::FETCH_TYPE_ALL);
        return $rows === [] ? null : [$rows[0]['datetime'], $rows[0]['value']];
    }

    /** Makes the newest point the current value, unless that is newer; a correction of the current value is applied. */
    private static function showNewest(jeenergieCmd $cmd, int $moment, $value): void
    {
        $known = Moment::ofValue($cmd);
        if ($known === null || $moment > $known || ($moment === $known && $cmd->execCmd() !== $value)) {
            $cmd->event($value, Moment::text($moment));
            Moment::note($cmd, $moment);
        }
    }

    /** @param array $values by Unix time, ascending: of two moments with the same local text the later one counts */
    private static function write(jeenergieCmd $cmd, array $values): void
    {
        $limit = time() - 3600 * max(1, (int) config::byKey('historyArchiveTime', 'core', 2));
        $past = [];
        foreach ($values as $moment => $value) {
            $date = Moment::text($moment);
            if ($moment > $limit) {
                $cmd->addHistoryValue($value, $date);
            } else {
                $past[$date] = $value;
            }
        }
        foreach (array_chunk($past, self::ROWS_PER_QUERY, true) as $chunk) {
            self::archive((int) $cmd->getId(), $chunk);
        }
    }

    /** Removes the points from the live table, whose old values would be archived at night, and archives them. */
    private static function archive(int $cmdId, array $values): void
    {
        $dates = array_keys($values);
        $places = implode(',', array_fill(0, count($dates), '?'));
        DB::Prepare(
            'DELETE FROM `history` WHERE `cmd_id` = ? AND `datetime` IN (' . $places . ')',
            array_merge([$cmdId], $dates)
        );
        $rows = [];
        foreach ($values as $date => $value) {
            array_push($rows, $cmdId, $date, $value);
        }
        $places = implode(',', array_fill(0, count($dates), '(?,?,?)'));
        DB::Prepare('REPLACE INTO `historyArch` (`cmd_id`, `datetime`, `value`) VALUES ' . $places, $rows);
    }
}
