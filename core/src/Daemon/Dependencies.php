<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use cache;
use config;
use Exception;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;
use log;

/**
 * The Python packages of the daemon, in a virtual environment that install_deps.sh makes.
 */
final class Dependencies
{
    /** @var string|null another folder of the plugin, for tests */
    private static $root;

    private const PROGRESS = 'install.progress';
    private const LOCK = 'install.lock';
    private const PROVED = 'dependencies.json';
    private const CHECK = '/resources/check_environment.py';

    /** Seconds after a failed check before the next one, and for which a check may take. */
    private const AGAIN_AFTER_S = 60;
    private const MAX_CHECK_S = 30;

    /** Seconds for which a start that waits for an installation is still wanted. */
    private const SOON_S = 3600;

    public static function info(): array
    {
        return [
            'log' => 'jeenergie_update',
            'progress_file' => self::progressFile(),
            'state' => self::work() ? 'ok' : 'nok',
        ];
    }

    public static function install(): array
    {
        log::remove('jeenergie_update');
        self::startSoon();
        return [
            'script' => self::root() . '/install_deps.sh ' . self::progressFile(),
            'log' => log::getPathToLog('jeenergie_update'),
        ];
    }

    public static function python(): string
    {
        return self::environment() . '/bin/python';
    }

    /**
     * Whether the daemon can run with what is installed.
     *
     * The script leaves the hash of the lists that it has installed from. Whether that still works is asked of Python itself
     * once for each state of the interpreter and of its packages: an upgrade of the system changes both. What the core
     * remembers as "ok" for ever is dropped when it is not.
     */
    public static function work(): bool
    {
        $stamp = trim((string) @file_get_contents(self::environment() . '/.jeenergie-deps'));
        $list = self::wanted();
        clearstatcache(true); // a server process remembers for two minutes where a link has led
        $works = is_file(self::python()) && $list !== '' && hash_equals($list, $stamp) && self::isProved();
        if (!$works) {
            cache::delete('dependancyjeenergie');
        }
        return $works;
    }

    /** Hash of all that says which versions are wanted, as the script makes it; empty without the list. */
    private static function wanted(): string
    {
        $list = @file_get_contents(self::root() . '/resources/requirements.txt');
        if ($list === false) {
            return '';
        }
        $locks = array_map('file_get_contents', glob(self::root() . '/resources/lock/*.txt') ?: []);
        return hash('sha256', $list . implode('', $locks));
    }

    private static function isProved(): bool
    {
        $state = self::state();
        try {
            $file = DataFolder::open(self::PROVED);
        } catch (Exception $error) {
            return self::check(); // not remembered; that the folder is unusable is told elsewhere
        }
        try {
            $known = self::remembered((string) stream_get_contents($file));
            $isKnown = ($known['state'] ?? '') === $state;
            if ($isKnown && ($known['works'] || time() < $known['at'] + self::AGAIN_AFTER_S)) {
                return $known['works'];
            }
            $known = ['state' => $state, 'works' => self::check(), 'at' => time()];
            rewind($file);
            ftruncate($file, 0);
            fwrite($file, Json::encode($known));
            return $known['works'];
        } finally {
            fclose($file);
        }
    }

    private static function remembered(string $text): array
    {
        try {
            return Json::decode($text);
        } catch (Exception $error) {
            return []; // the first time, or written by half
        }
    }

    /** What an upgrade of the system, another architecture or a removed package changes. */
    private static function state(): string
    {
        $python = (string) realpath(self::python());
        $parts = [php_uname('m'), $python, @filesize($python), @filemtime($python)];
        foreach ((array) glob(self::environment() . '/lib/python*/site-packages') as $packages) {
            array_push($parts, $packages, @filemtime($packages), @fileinode($packages));
        }
        return sha1(implode("\n", $parts));
    }

    /** Imports what the daemon imports, once, in a process of its own. */
    private static function check(): bool
    {
        $null = ['file', '/dev/null', 'r+'];
        $command = [self::python(), '-I', self::root() . self::CHECK];
        $process = @proc_open($command, [$null, $null, $null], $pipes, '/');
        if ($process === false) {
            return false;
        }
        $end = microtime(true) + self::MAX_CHECK_S;
        do {
            usleep(10000);
            $status = proc_get_status($process);
        } while ($status['running'] && microtime(true) < $end);
        if ($status['running']) {
            proc_terminate($process, 9);
        }
        proc_close($process);
        return !$status['running'] && $status['exitcode'] === 0;
    }

    /** The daemon is to be started as soon as the dependencies work. */
    public static function startSoon(): void
    {
        config::save('startBefore', time() + self::SOON_S, 'jeenergie');
    }

    /** Whether a start has waited for the dependencies, and may be tried; it is forgotten then. */
    public static function isStartDue(): bool
    {
        $before = (int) config::byKey('startBefore', 'jeenergie', 0);
        if ($before === 0 || is_file(self::progressFile()) || !self::work()) {
            return false;
        }
        self::forgetStart();
        return time() < $before;
    }

    /** It was started, or is not wanted any more. */
    public static function forgetStart(): void
    {
        config::remove('startBefore', 'jeenergie');
    }

    /** The core takes an installation for under way while this file exists: one that ended without it is not. */
    private static function progressFile(): string
    {
        try {
            $path = DataFolder::file(self::PROGRESS);
        } catch (Exception $error) {
            return self::root() . '/data/daemon/' . self::PROGRESS;
        }
        clearstatcache(true, $path);
        if (is_file($path)) {
            $lock = DataFolder::lock(self::LOCK, 0);
            if ($lock !== null) {
                @unlink($path);
                fclose($lock);
            }
        }
        return $path;
    }

    private static function environment(): string
    {
        return self::root() . '/resources/python_venv';
    }

    private static function root(): string
    {
        return self::$root ?? dirname(__DIR__, 3);
    }
}
