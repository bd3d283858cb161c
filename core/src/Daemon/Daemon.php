<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use cache;
use config;
use Exception;
use jeedom;
use Jeenergie\Pages\Health;
use Jeenergie\Storage\DataFolder;
use log;
use plugin;
use system;

/**
 * The daemon's process: start, stop, and whether it runs.
 */
final class Daemon
{
    private const MAX_START_S = 15;
    private const MAX_STOP_S = 8;
    private const MAX_UPDATE_S = 120;

    /** Signal numbers: PHP does not define them inside a web server. */
    private const SIGNAL_TERM = 15;
    private const SIGNAL_KILL = 9;

    /** Why the last start in this request failed: the core only logs it. */
    private static $failure = '';

    public static function info(): array
    {
        $info = ['log' => Launcher::LOG_NAME, 'state' => self::isRunning() ? 'ok' : 'nok', 'launchable' => 'ok'];
        $obstacle = self::obstacle($info['state'] === 'ok');
        if ($obstacle !== '') {
            $info['launchable'] = 'nok';
            $info['launchable_message'] = $obstacle;
        }
        return $info;
    }

    /** Why the daemon cannot be started, as a sentence for the user; '' if it can. */
    private static function obstacle(bool $running): string
    {
        try {
            DataFolder::path();
            if (!$running && !DataFolder::hasRoom()) {
                return __('Le disque est plein : libérez de la place, le démon redémarrera de lui-même ; vos données sont gardées.', __FILE__);
            }
        } catch (Exception $error) {
            return $error->getMessage();
        }
        if (!Dependencies::work()) {
            return __('Les dépendances ne sont pas installées.', __FILE__);
        }
        if (!$running && !self::isWritable(Launcher::logFile())) {
            return sprintf(
                __('Le log %s ne peut pas être écrit. Dans Jeedom : Réglages → Système → Configuration → OS/DB, « Rétablissement des droits ».', __FILE__),
                Launcher::LOG_NAME
            );
        }
        $free = $running || Process::listener(self::port()) === Process::FREE;
        return $free ? '' : self::portTaken();
    }

    public static function port(): int
    {
        return (int) config::byKey('socketport', 'jeenergie');
    }

    /**
     * Called by the core before it stores the port.
     *
     * @throws Exception if it is not a number from 1024 to 65535
     */
    public static function checkedPort($value): string
    {
        if (!ctype_digit((string) $value) || $value < 1024 || $value > 65535) {
            throw new Exception(__('Le port du démon doit être un nombre de 1024 à 65535.', __FILE__));
        }
        return (string) $value;
    }

    /**
     * Called by the core before it stores the pause between two callbacks, in seconds.
     *
     * @throws Exception if it is not a number from 0 to 60
     */
    public static function checkedCycle($value): string
    {
        $text = str_replace(',', '.', trim((string) $value));
        if (!is_numeric($text) || $text < 0 || $text > 60) {
            throw new Exception(__('Le cycle d\'envoi doit être un nombre de secondes de 0 à 60.', __FILE__));
        }
        return $text;
    }

    public static function isRunning(): bool
    {
        try {
            return Process::pid() !== null;
        } catch (Exception $error) {
            return false; // it cannot run without its folder; info() reports why
        }
    }

    /**
     * Starts the daemon through the core, as the core's own button does.
     *
     * @throws Exception with the reason if it does not run afterwards
     */
    public static function startForUser(): void
    {
        self::$failure = '';
        plugin::byId('jeenergie')->deamon_start(true);
        if (self::isRunning()) {
            return;
        }
        $readiness = Health::readiness();
        throw new Exception(self::$failure ?: ($readiness['state'] !== 'stopped' ? $readiness['text'] : __(
            'Le démon n\'a pas été lancé : Jeedom laisse passer 45 secondes entre deux lancements. Recommencez dans un instant.',
            __FILE__
        )));
    }

    /**
     * Starts the daemon and returns once it answers.
     *
     * @throws Exception with the reason if it does not
     */
    public static function start(): void
    {
        try {
            self::startOrThrow();
        } catch (Exception $error) {
            self::$failure = $error->getMessage();
            throw $error;
        }
    }

    private static function startOrThrow(): void
    {
        self::stop();
        $info = self::info();
        if ($info['launchable'] !== 'ok') {
            throw new Exception($info['launchable_message']);
        }
        @unlink(DataFolder::file(Process::PID_FILE)); // the daemon could not overwrite one that root has left
        [$process, $pipe] = Launcher::launch();
        try {
            self::waitUntilItAnswers($pipe);
        } finally {
            fclose($pipe);
            proc_close($process);
        }
        Dependencies::dropPendingStart();
    }

    /** @param resource $pipe reaches its end when the daemon exits */
    private static function waitUntilItAnswers($pipe): void
    {
        for ($deadline = microtime(true) + self::MAX_START_S; microtime(true) < $deadline; usleep(100000)) {
            if (self::answers()) {
                return;
            }
            if (fread($pipe, 1) === '' && feof($pipe)) {
                if (strpos(Launcher::lastError(), 'cannot be used, is it taken?') !== false) {
                    throw new Exception(self::portTaken()); // as the local port of a connection, where nobody listens
                }
                throw new Exception(sprintf(
                    __('Le démon s\'est arrêté dès son démarrage : %s', __FILE__),
                    Launcher::lastError() ?: __('regardez le log jeenergie_daemon.', __FILE__)
                ));
            }
        }
        throw new Exception(sprintf(
            __('Le démon n\'a pas répondu en %d s. Regardez le log jeenergie_daemon.', __FILE__),
            self::MAX_START_S
        ));
    }

    /**
     * Stops every daemon that uses our data folder, gracefully first, and returns once all have exited.
     *
     * @throws Exception if one cannot be stopped
     */
    public static function stop(): void
    {
        $left = Process::all();
        if ($left === []) {
            return;
        }
        try {
            Socket::request('shutdown', [], 3);
            $asked = count($left) === 1;
        } catch (Exception $error) {
            $asked = false;
        }
        foreach ($asked ? [null, self::SIGNAL_TERM, self::SIGNAL_KILL] : [self::SIGNAL_TERM, self::SIGNAL_KILL] as $signal) {
            foreach ($signal === null ? [] : $left as $pid) {
                self::signal($pid, $signal);
            }
            for ($deadline = microtime(true) + self::MAX_STOP_S; microtime(true) < $deadline; usleep(50000)) {
                $left = array_filter($left, [Process::class, 'isOurs']);
                if ($left === []) {
                    return;
                }
            }
        }
        throw new Exception(
            sprintf(__('Le démon ne s\'arrête pas (processus %d).', __FILE__), array_values($left)[0])
        );
    }

    /** A daemon that root has started can only be signalled with Jeedom's sudo right. */
    private static function signal(int $pid, int $signal): void
    {
        if (!posix_kill($pid, $signal) && jeedom::isCapable('sudo')) {
            exec(system::getCmdSudo() . 'kill -' . $signal . ' ' . $pid . ' 2>/dev/null');
        }
    }

    /**
     * Applies the plugin's configuration at the end of the request: restarts a daemon that runs with another port, cycle or
     * key, and starts one that is stopped, maybe because of the former port, if automatic start is on.
     */
    public static function followConfiguration(): void
    {
        static $scheduled = false;
        if (!$scheduled) {
            $scheduled = true;
            register_shutdown_function(static function (): void {
                try {
                    if (!self::isRunning()) {
                        plugin::byId('jeenergie')->deamon_start(false, true);
                    } elseif (self::isOutdated()) {
                        self::start();
                    }
                } catch (Exception $error) {
                    log::add('jeenergie', 'error', $error->getMessage());
                }
            });
        }
    }

    private static function isOutdated(): bool
    {
        $pid = (int) Process::pid();
        $key = Process::variable($pid, Launcher::KEY_VARIABLE);
        if ($key !== '' && !hash_equals(ApiKey::get(), $key)) {
            return true;
        }
        $running = Process::arguments($pid);
        $wanted = Launcher::command();
        foreach (['--socketport', '--cycle'] as $option) {
            if (Process::argument($running, $option) !== Process::argument($wanted, $option)) {
                return true;
            }
        }
        return false;
    }

    /** Run by the core every minute. */
    public static function everyMinute(): void
    {
        try {
            Dependencies::tell(); // also drops what the core has cached if they no longer work
            if (!self::isRunning() && Dependencies::isStartDue()) {
                plugin::byId('jeenergie')->deamon_start(false, true);
            }
            Reach::watch();
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    /**
     * Run in the background after an update: starts the daemon as soon as the core, which has stopped it, allows automatic
     * starts again. The core itself would do so within five minutes.
     */
    public static function startAfterUpdate(): void
    {
        Dependencies::requestStart();
        for ($end = time() + self::MAX_UPDATE_S; time() < $end; sleep(1)) {
            if (config::byKey('deamonAutoMode', 'jeenergie', 1, true) == 1) {
                cache::delete('deamonStartjeenergieinprogress'); // the core's minimum between two starts does not apply
                plugin::byId('jeenergie')->deamon_start(false, true);
                return;
            }
        }
    }

    /** Passes log options on to a running daemon; a stopped one gets them at its start. */
    public static function setLogOptions(array $options): void
    {
        try {
            if (self::isRunning()) {
                Socket::request('log', $options);
            }
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    private static function isWritable(string $path): bool
    {
        clearstatcache(true, $path);
        return file_exists($path) ? is_writable($path) : is_writable(dirname($path));
    }

    /** Name of Jeedom's log level for the plugin. */
    public static function logLevel(): string
    {
        return log::convertLogLevel((int) log::getLogLevel('jeenergie'));
    }

    private static function answers(): bool
    {
        try {
            // The pid first: another daemon, started by hand, could be listening on this port.
            return self::isRunning() && Socket::request('status', [], 2) !== [];
        } catch (Exception $error) {
            return false;
        }
    }

    private static function portTaken(): string
    {
        return sprintf(
            __('Le port %d est déjà utilisé par un autre programme : choisissez-en un autre dans la configuration du plugin.', __FILE__),
            self::port()
        );
    }
}
