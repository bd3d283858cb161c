<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cache;
use jeenergie;

/**
 * How far something is that takes its time: told to the pages that are open, and kept for one that is opened meanwhile.
 *
 * In caches of their own: the core writes the one of an eqLogic whole, and the daemon and a page are at work at once.
 */
final class Progress
{
    /** Seconds for which something that goes on by itself may be silent between two steps. */
    private const KEPT = 3600;

    /** Seconds after the answer to a user's operation in which what it reported on its way may still come. */
    private const LATE = 3;

    /** @param array $event {connection, operation, percent, text} */
    public static function tell(array $event): void
    {
        $progress = array_diff_key($event, ['event' => 0]);
        $id = (string) $event['connection'];
        News::tell('progress', $id, ['operation', 'percent'], $progress);
        $connection = jeenergie::byId($id);
        if ($connection instanceof jeenergie && self::read('operation', $id) === '') {
            self::keep('progress', $id, $event['percent'] < 100 ? $progress : '', self::KEPT);
        }
    }

    /** What goes on by itself: {connection, operation, percent, text}, or nothing. */
    public static function underWay(jeenergie $connection): array
    {
        return jeenergie::dictionary(self::read('progress', (string) $connection->getId()));
    }

    /** Runs an operation of the user: its page shows it and its end, so that nothing of it is kept. */
    public static function during(string $id, callable $operation): string
    {
        $connection = jeenergie::byId($id);
        if (!$connection instanceof jeenergie) {
            return $operation();
        }
        self::keep('operation', $id, 'under way', self::KEPT);
        self::keep('progress', $id, '', self::KEPT);
        try {
            return $operation();
        } finally {
            self::keep('operation', $id, 'over', self::LATE);
        }
    }

    private static function read(string $what, string $id)
    {
        return cache::byKey('jeenergie::' . $what . '::' . $id)->getValue('');
    }

    /** @param int $lifetime seconds */
    private static function keep(string $what, string $id, $value, int $lifetime): void
    {
        cache::set('jeenergie::' . $what . '::' . $id, $value, $lifetime);
    }
}
