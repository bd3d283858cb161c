<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use Exception;
use Jeenergie\Storage\DataFolder;
use log;

/**
 * Launches the daemon's process: its command line, environment and streams.
 */
final class Launcher
{
    public const LOG_NAME = 'jeenergie_daemon';
    public const KEY_VARIABLE = 'JEEDOM_APIKEY';

    /**
     * What the C library may keep apart for threads that allocate at the same time. Python's threads do so one after the other:
     * without the limit each keeps memory of its own, some 2 MiB in all.
     */
    private const MEMORY = ['MALLOC_ARENA_MAX' => '2'];

    private const STDERR_FILE = 'deamon.err';

    /** @return string[] command line, without secrets: every local user can read it */
    public static function command(): array
    {
        $addresses = Reach::addresses();
        $command = [
            Dependencies::python(), '-m', Process::MODULE,
            '--loglevel', Daemon::logLevel(),
            '--logfile', self::logFile(),
            '--callback', array_shift($addresses),
            '--plugin', 'jeenergie',
            '--socketport', (string) Daemon::port(),
            '--pid', DataFolder::file(Process::PID_FILE),
            '--datadir', DataFolder::path(),
            '--cycle', (string) config::byKey('cycle', 'jeenergie'),
        ];
        foreach ($addresses as $address) {
            array_push($command, '--alternative', $address);
        }
        if (config::byKey('extendedDebug', 'jeenergie') == 1) {
            $command[] = '--extendeddebug';
        }
        if (config::byKey('unsecureLog', 'jeenergie') == 1) {
            $command[] = '--unsecurelog';
        }
        return $command;
    }

    /**
     * Starts the process in a session of its own.
     *
     * @return array{resource, resource} the launcher, which exits at once, and a pipe that the daemon keeps open without
     * writing to it: it reaches its end when the daemon exits
     */
    public static function launch(): array
    {
        $errors = DataFolder::open(self::STDERR_FILE);
        ftruncate($errors, 0);
        $streams = [
            ['file', '/dev/null', 'r'],
            ['file', self::logFile(), 'a'],
            $errors,
            ['pipe', 'w'],
        ];
        // setsid forks once more: as a child of the web server it would become a zombie when it exits.
        $process = @proc_open(
            array_merge(['setsid', '--fork'], self::command()),
            $streams,
            $pipes,
            DataFolder::path(),
            [self::KEY_VARIABLE => ApiKey::get()] + getenv() + self::MEMORY
        );
        if ($process === false) {
            throw new Exception(sprintf(
                __('Le démon ne peut pas être lancé : %s', __FILE__),
                error_get_last()['message'] ?? __('regardez le log http.error.', __FILE__)
            ));
        }
        stream_set_blocking($pipes[3], false);
        return [$process, $pipes[3]];
    }

    /** Path of the log without the ".." in the core's: the daemon reopens it by this path. */
    public static function logFile(): string
    {
        $path = log::getPathToLog(self::LOG_NAME);
        return (realpath(dirname($path)) ?: dirname($path)) . '/' . basename($path);
    }

    /** Last line the daemon wrote to standard error; '' if none. */
    public static function lastError(): string
    {
        $lines = array_filter(array_map('trim', explode("\n", (string) @file_get_contents(DataFolder::file(self::STDERR_FILE)))));
        return (string) end($lines);
    }
}
