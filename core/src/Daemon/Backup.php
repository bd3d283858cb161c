<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Jeenergie\Storage\DataFolder;

/**
 * What of the daemon's data goes into a backup of Jeedom: the whole copy that the daemon makes when it is asked, not the
 * database that it writes meanwhile. Asked before the core saves its own database, so that neither is ahead of the other.
 */
final class Backup
{
    private const COPY = 'store.copy.sqlite';
    private const LIVE = ['store.sqlite', 'store.sqlite-*', 'store.sqlite.*'];

    /** Has the copy made; a daemon that does not run has made it when it ended. */
    public static function prepare(): void
    {
        if (Daemon::isRunning()) {
            Socket::request('backup');
        }
    }

    /** @return string[] paths below the plugin's folder that stay out; none as long as there is no copy */
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
