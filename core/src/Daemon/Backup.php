<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Jeenergie\Storage\DataFolder;

/**
 * Selects which of the daemon's data go into a backup of Jeedom: a consistent copy of its store, made on request, instead of
 * the database it is writing to. The copy is made before the core dumps its own database, so that the two agree.
 */
final class Backup
{
    private const COPY = 'store.copy.sqlite';
    private const LIVE = ['store.sqlite', 'store.sqlite-*', 'store.sqlite.*'];

    /** Asks the daemon for the copy. One that is stopped has made it when it ended. */
    public static function prepare(): void
    {
        if (Daemon::isRunning()) {
            Socket::request('backup');
        }
    }

    /** @return string[] paths below the plugin's folder to exclude from a backup; none as long as there is no copy */
    public static function excluded(): array
    {
        $folder = DataFolder::path();
        if (!is_file($folder . '/' . self::COPY)) {
            return [];
        }
        $below = 'data/' . basename($folder) . '/';
        return array_map(fn(string $name): string => $below . $name, self::LIVE);
    }
}
