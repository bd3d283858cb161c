<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cache;
use jeenergie;

/**
 * Progress of long operations: sent to open pages, and kept for pages opened meanwhile.
 *
 * Kept under cache keys of its own: the core writes the cache of an eqLogic as a whole, and the daemon and a page write at
 * the same time.
 */
final class Progress
{
    /** How long progress is kept without a further report. */
    private const KEPT_S = 3600;

    /** How long reports of a finished user operation may still arrive. */
    private const LATE_REPORTS_S = 3;

    /** @param array $event {connection, operation, percent, text} */
    public static function report(array $event): void
    {
        $progress = array_diff_key($event, ['event' => 0]);
        $id = (string) $event['connection'];
        News::publish('progress', $id, ['operation', 'percent'], $progress);
        $connection = jeenergie::byId($id);
        if ($connection instanceof jeenergie && self::read('operation', $id) === '') {
            self::keep('progress', $id, $event['percent'] < 100 ? $progress : '', self::KEPT_S);
        }
    }

    /** The automatic operation under way: {connection, operation, percent, text}; [] if none. */
    public static function underWay(jeenergie $connection): array
    {
        return jeenergie::dictionary(self::read('progress', (string) $connection->getId()));
    }

    /** Runs an operation the user has started. Its page shows progress and result, so that nothing is kept. */
    public static function during(string $id, callable $operation): string
    {
        $connection = jeenergie::byId($id);
        if (!$connection instanceof jeenergie) {
            return $operation();
        }
        self::keep('operation', $id, 'under way', self::KEPT_S);
        self::keep('progress', $id, '', self::KEPT_S);
        try {
            return $operation();
        } finally {
            self::keep('operation', $id, 'over', self::LATE_REPORTS_S);
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
