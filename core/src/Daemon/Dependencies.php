<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use cache;
use config;
use Exception;
use Jeenergie\Equipment\State;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;
use log;
use message;
use translate;

/**
 * The Python packages of the daemon, in a virtual environment that install_deps.sh makes.
 */
final class Dependencies
{
    /** @var string|null another folder of the plugin, for tests */
    private static $root;

    private const PROGRESS_FILE = 'install.progress';
    private const LOCK_FILE = 'install.lock';
    private const MESSAGE = 'jeenergie::dependencies';
    private const FAILURE_LINES = 12;
    private const RESULT_FILE = 'dependencies.json';
    private const CHECK_SCRIPT = '/resources/check_environment.py';

    /** Pause after a failed check, and how long one check may take. */
    private const RECHECK_AFTER_S = 60;
    private const MAX_CHECK_S = 30;

    /** How long a start that waits for an installation stays pending. */
    private const PENDING_START_S = 3600;

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
        self::requestStart();
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
     * True if the daemon can run with what is installed.
     *
     * The script records the hash of the lists it has installed. Whether the packages work is verified by Python itself,
     * once per state of the interpreter and the packages: an upgrade of the system changes both. If they do not, the
     * state "ok", which the core caches without limit, is dropped.
     */
    public static function work(): bool
    {
        $stamp = trim((string) @file_get_contents(self::environment() . '/.jeenergie-deps'));
        $list = self::requirementsHash();
        clearstatcache(true); // PHP caches where a link leads for two minutes
        $works = is_file(self::python()) && $list !== '' && hash_equals($list, $stamp) && self::isVerified();
        if (!$works) {
            cache::delete('dependancyjeenergie');
        }
        return $works;
    }

    /** Hash of the lists of versions, computed as the script does; '' without the list. */
    private static function requirementsHash(): string
    {
        $list = @file_get_contents(self::root() . '/resources/requirements.txt');
        if ($list === false) {
            return '';
        }
        $locks = array_map('file_get_contents', glob(self::root() . '/resources/lock/*.txt') ?: []);
        return hash('sha256', $list . implode('', $locks));
    }

    private static function isVerified(): bool
    {
        $state = self::state();
        try {
            $file = DataFolder::open(self::RESULT_FILE);
        } catch (Exception $error) {
            return self::check(); // without caching; the unusable folder is reported elsewhere
        }
        try {
            $known = self::remembered((string) stream_get_contents($file));
            $isKnown = ($known['state'] ?? '') === $state;
            if ($isKnown && ($known['works'] || time() < $known['at'] + self::RECHECK_AFTER_S)) {
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
            return []; // empty or truncated
        }
    }

    /** Fingerprint that changes with an upgrade of the system, the architecture and a removed package. */
    private static function state(): string
    {
        $python = (string) realpath(self::python());
        $parts = [php_uname('m'), $python, @filesize($python), @filemtime($python)];
        foreach ((array) glob(self::environment() . '/lib/python*/site-packages') as $packages) {
            array_push($parts, $packages, @filemtime($packages), @fileinode($packages));
        }
        return sha1(implode("\n", $parts));
    }

    /** True if everything the daemon imports can be imported, in a process of its own. */
    private static function check(): bool
    {
        $null = ['file', '/dev/null', 'r+'];
        $command = [self::python(), '-I', self::root() . self::CHECK_SCRIPT];
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

    /** Requests a start of the daemon as soon as the dependencies work. */
    public static function requestStart(): void
    {
        config::save('startBefore', time() + self::PENDING_START_S, 'jeenergie');
    }

    /** True once if a start was pending and the dependencies work now. */
    public static function isStartDue(): bool
    {
        $before = (int) config::byKey('startBefore', 'jeenergie', 0);
        if ($before === 0 || is_file(self::progressFile()) || !self::work()) {
            return false;
        }
        self::dropPendingStart();
        return time() < $before;
    }

    /** Tells once, in the message centre, that an installation has failed and what helps; takes it back when it works. */
    public static function tell(): void
    {
        if (self::work()) {
            message::removeAll('jeenergie', self::MESSAGE);
        } elseif (!is_file(self::progressFile())) {
            $why = self::why();
            if ($why !== '') {
                message::add('jeenergie', $why, '', self::MESSAGE);
            }
        }
    }

    /** Why the last installation has failed and what helps, as sentences for the user; '' if it has not. */
    public static function why(): string
    {
        $lines = array_map([self::class, 'sentence'], self::failure());
        $intro = __('Les dépendances n\'ont pas pu être installées et le démon reste arrêté ; vos données sont gardées.', __FILE__);
        return $lines === [] ? '' : State::plain($intro . ' ' . implode(' ', $lines));
    }

    /** A line of the script as a part of a text: without its mark, and with an end. */
    private static function sentence(string $line): string
    {
        $text = (string) preg_replace('/^(ECHEC :|FAILED:) /', '', $line);
        $first = mb_strtoupper(mb_substr($text, 0, 1));
        return $first . mb_substr($text, 1) . (preg_match('/[.!?…]$/u', $text) === 1 ? '' : '.');
    }

    /** @return string[] what install_deps.sh has written of its failure, in the user's language; [] if it has not failed */
    private static function failure(): array
    {
        $log = @file(log::getPathToLog('jeenergie_update'), FILE_IGNORE_NEW_LINES) ?: [];
        $isFrench = strpos(translate::getLanguage(), 'fr') === 0;
        $found = [];
        foreach (array_slice($log, -self::FAILURE_LINES) as $line) {
            $text = preg_replace('/^\[[^\]]*\] /', '', $line);
            $begins = strpos($text, 'ECHEC :') === 0;
            if ($begins || ($found !== [] && preg_match('/^  |^FAILED:/', $text) === 1)) {
                $found = $begins ? [] : $found;
                $isEnglish = preg_match('/^FAILED:|^  To do:/', $text) === 1;
                $found[] = $isFrench !== $isEnglish ? trim($text) : null;
            }
        }
        return array_values(array_filter($found));
    }

    /** Drops a pending start. */
    public static function dropPendingStart(): void
    {
        config::remove('startBefore', 'jeenergie');
    }

    /** Path of the file whose existence means "installing" to the core; removed if the installation has died. */
    private static function progressFile(): string
    {
        try {
            $path = DataFolder::file(self::PROGRESS_FILE);
        } catch (Exception $error) {
            return self::root() . '/data/daemon/' . self::PROGRESS_FILE;
        }
        clearstatcache(true, $path);
        if (is_file($path)) {
            $lock = DataFolder::lock(self::LOCK_FILE, 0);
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
