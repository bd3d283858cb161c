<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * The Python packages of the daemon, in a virtual environment that install_deps.sh makes.
 */
final class jeenergieDependencies
{
    private const PROGRESS = '/jeedom_install_in_progress_jeenergie';

    /** Needs neither network nor subprocess: the script leaves the hash of the list that it has installed. */
    public static function info(): array
    {
        $stamp = trim((string) @file_get_contents(self::environment() . '/.jeenergie-deps'));
        $list = (string) @hash_file('sha256', self::root() . '/resources/requirements.txt');
        $installed = is_file(self::python()) && $list !== '' && hash_equals($list, $stamp);
        return [
            'log' => 'jeenergie_update',
            'progress_file' => self::progressFile(),
            'state' => $installed ? 'ok' : 'nok',
        ];
    }

    public static function install(): array
    {
        log::remove('jeenergie_update');
        return [
            'script' => self::root() . '/install_deps.sh ' . self::progressFile(),
            'log' => log::getPathToLog('jeenergie_update'),
        ];
    }

    public static function python(): string
    {
        return self::environment() . '/bin/python';
    }

    private static function progressFile(): string
    {
        return sys_get_temp_dir() . self::PROGRESS;
    }

    private static function environment(): string
    {
        return self::root() . '/resources/python_venv';
    }

    private static function root(): string
    {
        return dirname(__DIR__, 2);
    }
}
