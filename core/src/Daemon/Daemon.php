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
 * The daemon as a process: whether it runs, its start, its end.
 */
final class Daemon
{
    private const LOG = 'jeenergie_daemon';
    private const ERRORS = 'deamon.err';
    private const KEY_VARIABLE = 'JEEDOM_APIKEY';
    private const SECONDS_TO_ANSWER = 15;
    private const SECONDS_TO_STOP = 8;
    private const SECONDS_OF_UPDATE = 120;

    /** Signals: their names are unknown to PHP inside a web server. */
    private const TERMINATE = 15;
    private const KILL = 9;

    /** Why the last start of this request failed: the core writes it into the log only. */
    private static $failure = '';

    public static function info(): array
    {
        $info = ['log' => self::LOG, 'state' => self::isRunning() ? 'ok' : 'nok', 'launchable' => 'ok'];
        $obstacle = self::obstacle($info['state'] === 'ok');
        if ($obstacle !== '') {
            $info['launchable'] = 'nok';
            $info['launchable_message'] = $obstacle;
        }
        return $info;
    }

    /** Why the daemon cannot be started, in words for the user; empty when nothing stands in the way. */
    private static function obstacle(bool $running): string
    {
        try {
            DataFolder::path();
        } catch (Exception $error) {
            return $error->getMessage();
        }
        if (!Dependencies::work()) {
            return __('Les dépendances ne sont pas installées.', __FILE__);
        }
        if (!$running && !self::isWritable(self::logFile())) {
            return sprintf(
                __('Le log %s ne peut pas être écrit. Dans Jeedom : Réglages → Système → Configuration → OS/DB, « Rétablissement des droits ».', __FILE__),
                self::LOG
            );
        }
        $free = $running || Process::listener(self::port()) === Process::FREE;
        return $free ? '' : self::portTaken();
    }

    public static function port(): int
    {
        return (int) config::byKey('socketport', 'jeenergie');
    }

    /** Called by the core before it stores the port. */
    public static function checkedPort($value): string
    {
        if (!ctype_digit((string) $value) || $value < 1024 || $value > 65535) {
            throw new Exception(__('Le port du démon doit être un nombre de 1024 à 65535.', __FILE__));
        }
        return (string) $value;
    }

    /** Called by the core before it stores the pause between two requests. */
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
            return false; // without a folder of its own it cannot run; info() tells the user
        }
    }

    /** Starts the daemon through the core, as its own button does; throws the reason when it does not run then. */
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

    /** Starts the daemon and returns when it answers; otherwise throws the reason. */
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
        @unlink(DataFolder::file(Process::PID_FILE)); // one left by root could not be written again
        [$process, $pipe] = self::launch();
        try {
            self::waitUntilItAnswers($pipe);
        } finally {
            fclose($pipe);
            proc_close($process);
        }
        Dependencies::forgetStart();
    }

    /** @param resource $pipe ends when the daemon does */
    private static function waitUntilItAnswers($pipe): void
    {
        for ($deadline = microtime(true) + self::SECONDS_TO_ANSWER; microtime(true) < $deadline; usleep(100000)) {
            if (self::answers()) {
                return;
            }
            if (fread($pipe, 1) === '' && feof($pipe)) {
                if (strpos(self::lastWords(), 'cannot be used, is it taken?') !== false) {
                    throw new Exception(self::portTaken()); // by the near end of a connection: nobody listens there
                }
                throw new Exception(sprintf(
                    __('Le démon s\'est arrêté dès son démarrage : %s', __FILE__),
                    self::lastWords() ?: __('regardez le log jeenergie_daemon.', __FILE__)
                ));
            }
        }
        throw new Exception(sprintf(
            __('Le démon n\'a pas répondu en %d s. Regardez le log jeenergie_daemon.', __FILE__),
            self::SECONDS_TO_ANSWER
        ));
    }

    /** Stops every daemon that works on our data, gently first, and returns when all are gone. */
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
        foreach ($asked ? [null, self::TERMINATE, self::KILL] : [self::TERMINATE, self::KILL] as $signal) {
            foreach ($signal === null ? [] : $left as $pid) {
                self::signal($pid, $signal);
            }
            for ($deadline = microtime(true) + self::SECONDS_TO_STOP; microtime(true) < $deadline; usleep(50000)) {
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

    /** One that root has started is not ours to end, except by the right that Jeedom has. */
    private static function signal(int $pid, int $signal): void
    {
        if (!posix_kill($pid, $signal) && jeedom::isCapable('sudo')) {
            exec(system::getCmdSudo() . 'kill -' . $signal . ' ' . $pid . ' 2>/dev/null');
        }
    }

    /**
     * Once the request is over: a running daemon that was started with another port, cycle or key is restarted, and one
     * that does not run, maybe because of the former port, is started where the user lets it start by itself.
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
        $key = Process::variable($pid, self::KEY_VARIABLE);
        if ($key !== '' && !hash_equals(ApiKey::get(), $key)) {
            return true;
        }
        $running = Process::arguments($pid);
        $wanted = self::command();
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
            Dependencies::work(); // what the core remembers of them may have come to an end
            if (!self::isRunning() && Dependencies::isStartDue()) {
                plugin::byId('jeenergie')->deamon_start(false, true);
            }
            Reach::watch();
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    /**
     * Run in the background after an update, in which the core stops the daemon and holds automatic starts back until
     * it is done; it would start it by itself within five minutes.
     */
    public static function startAfterUpdate(): void
    {
        Dependencies::startSoon();
        for ($end = time() + self::SECONDS_OF_UPDATE; time() < $end; sleep(1)) {
            if (config::byKey('deamonAutoMode', 'jeenergie', 1, true) == 1) {
                cache::delete('deamonStartjeenergieinprogress'); // it was the core that stopped it
                plugin::byId('jeenergie')->deamon_start(false, true);
                return;
            }
        }
    }

    /** Tells a running daemon about a log option; one that is down gets it at its start. */
    public static function tellLog(array $options): void
    {
        try {
            if (self::isRunning()) {
                Socket::request('log', $options);
            }
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    /** Its path without the core's detours, which the log is opened by again for years. */
    private static function logFile(): string
    {
        $path = log::getPathToLog(self::LOG);
        return (realpath(dirname($path)) ?: dirname($path)) . '/' . basename($path);
    }

    private static function isWritable(string $path): bool
    {
        clearstatcache(true, $path);
        return file_exists($path) ? is_writable($path) : is_writable(dirname($path));
    }

    /** Jeedom's log level for the plugin, by name. */
    public static function logLevel(): string
    {
        return log::convertLogLevel((int) log::getLogLevel('jeenergie'));
    }

    /** @return string[] the command, without any secret: every local user may read it */
    private static function command(): array
    {
        $addresses = Reach::addresses();
        $command = [
            Dependencies::python(), '-m', Process::MODULE,
            '--loglevel', self::logLevel(),
            '--logfile', self::logFile(),
            '--callback', array_shift($addresses),
            '--plugin', 'jeenergie',
            '--socketport', (string) self::port(),
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
     * @return array{resource, resource} the launcher, which ends at once, and a pipe that the daemon holds open
     * and never writes to: it ends when the daemon does
     */
    private static function launch(): array
    {
        $errors = DataFolder::open(self::ERRORS);
        ftruncate($errors, 0);
        $streams = [
            ['file', '/dev/null', 'r'],
            ['file', self::logFile(), 'a'],
            $errors,
            ['pipe', 'w'],
        ];
        // Forked once more by setsid, so that it is no child of the web server, which would keep it as a zombie.
        $process = @proc_open(
            array_merge(['setsid', '--fork'], self::command()),
            $streams,
            $pipes,
            DataFolder::path(),
            [self::KEY_VARIABLE => ApiKey::get()] + getenv()
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

    private static function answers(): bool
    {
        try {
            // Its pid first: on this port could be another one, started by hand.
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

    /** What the daemon wrote to its error output when it gave up. */
    private static function lastWords(): string
    {
        $lines = array_filter(array_map('trim', explode("\n", (string) @file_get_contents(DataFolder::file(self::ERRORS)))));
        return (string) end($lines);
    }
}
