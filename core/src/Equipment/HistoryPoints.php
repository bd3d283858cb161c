<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use config;
use DB;
use Jeenergie\Storage\Moment;
use jeenergieCmd;

/**
 * Dated measures, written where Jeedom's own archiving would have put them.
 *
 * The core reads two tables together: what is younger than the archive time in "history", the rest in
 * "historyArch", where it moves rows once a day. A point written into the wrong one, or into both, shows twice
 * or loses a later correction.
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

    /** The newest point becomes the current value, unless a newer one is there; a corrected one counts as well. */
    private static function showNewest(jeenergieCmd $cmd, int $moment, $value): void
    {
        $known = Moment::ofValue($cmd);
        if ($known === null || $moment > $known || ($moment === $known && $cmd->execCmd() !== $value)) {
            $cmd->event($value, Moment::text($moment));
            Moment::note($cmd, $moment);
        }
    }

    /** @param array $values by their moments, in order: of two that have the same text the later one counts */
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

    /** Two queries: off the live table, where the nightly archiving would take an old value from; into the archive. */
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
