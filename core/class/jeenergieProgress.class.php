<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * How far something is that takes its time: told to the pages that are open, and kept for one that is opened meanwhile.
 */
final class jeenergieProgress
{
    /** Seconds for which something that goes on by itself may be silent between two steps. */
    private const KEPT = 3600;

    /** Seconds after the answer to a user's operation in which what it reported on its way may still come. */
    private const LATE = 3;

    /** @param array $event {connection, operation, percent, text} */
    public static function tell(array $event): void
    {
        $progress = array_diff_key($event, ['event' => 0]);
        event::add('jeenergie::progress', $progress);
        $connection = jeenergie::byId($event['connection']);
        if ($connection instanceof jeenergie && time() >= (int) $connection->getCache('operationUntil', 0)) {
            $connection->setCache('progress', $event['percent'] < 100 ? $progress + ['at' => time()] : '');
        }
    }

    /** What goes on by itself: {connection, operation, percent, text}, or nothing. */
    public static function underWay(jeenergie $connection): array
    {
        $progress = jeenergie::dictionary($connection->getCache('progress'));
        return ($progress['at'] ?? 0) > time() - self::KEPT ? array_diff_key($progress, ['at' => 0]) : [];
    }

    /** Runs an operation of the user: its page shows it and its end, so that nothing of it is kept. */
    public static function during(string $id, callable $operation): string
    {
        $connection = jeenergie::byId($id);
        if (!$connection instanceof jeenergie) {
            return $operation();
        }
        $connection->setCache('operationUntil', time() + self::KEPT);
        $connection->setCache('progress', '');
        try {
            return $operation();
        } finally {
            $connection->setCache('operationUntil', time() + self::LATE);
        }
    }
}
