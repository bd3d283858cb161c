<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * The daemon as a process: whether it runs, its start, its end.
 */
final class jeenergieDaemon
{
    private const MODULE = 'jeenergied';
    private const LOG = 'jeenergie_daemon';
    private const SECONDS_TO_ANSWER = 15;
    private const SECONDS_TO_STOP = 8;

    /** Signals: their names are unknown to PHP inside a web server. */
    private const TERMINATE = 15;
    private const KILL = 9;

    /** Why the last start of this request failed: the core writes it into the log only. */
    private static $failure = '';

    public static function info(): array
    {
        $info = ['log' => self::LOG, 'state' => self::isRunning() ? 'ok' : 'nok', 'launchable' => 'ok'];
        if (!is_file(jeenergieDependencies::python())) {
            $info['launchable'] = 'nok';
            $info['launchable_message'] = __('Les dépendances ne sont pas installées.', __FILE__);
        } elseif ($info['state'] !== 'ok' && self::isPortTaken(self::port())) {
            $info['launchable'] = 'nok';
            $info['launchable_message'] = self::portTaken();
        }
        return $info;
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
        return self::pid() !== null;
    }

    /** The daemon's pid; null when the pid file is stale, its number maybe given to another program since. */
    private static function pid(): ?int
    {
        $pid = (int) @file_get_contents(self::pidFile());
        return $pid > 0 && self::isOurs($pid) ? $pid : null;
    }

    private static function isOurs(int $pid): bool
    {
        $arguments = self::arguments($pid);
        return in_array(self::MODULE, $arguments, true) && in_array(self::pidFile(), $arguments, true);
    }

    /** @return string[] command line of a process; none of a process that is gone, or waits to be buried */
    private static function arguments(int $pid): array
    {
        return explode("\0", (string) @file_get_contents('/proc/' . $pid . '/cmdline'));
    }

    private static function pidFile(): string
    {
        return jeedom::getTmpFolder('jeenergie') . '/deamon.pid';
    }

    /** Starts the daemon through the core, as its own button does; throws the reason when it does not run then. */
    public static function startForUser(): void
    {
        self::$failure = '';
        plugin::byId('jeenergie')->deamon_start(true);
        if (self::isRunning()) {
            return;
        }
        $readiness = jeenergieHealth::readiness();
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
        @unlink(self::pidFile()); // one left by a daemon of another user could not be written again
        [$process, $pipe] = self::launch();
        try {
            self::waitUntilItAnswers($pipe);
        } finally {
            fclose($pipe);
            proc_close($process);
        }
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

    /** Stops the daemon, gently first, and returns when it is gone. */
    public static function stop(): void
    {
        $pid = self::pid();
        if ($pid === null) {
            return;
        }
        try {
            jeenergieSocket::request('shutdown', [], 3);
        } catch (Exception $error) {
            posix_kill($pid, self::TERMINATE);
        }
        foreach ([self::TERMINATE, self::KILL, null] as $next) {
            for ($deadline = microtime(true) + self::SECONDS_TO_STOP; microtime(true) < $deadline; usleep(50000)) {
                if (!self::isOurs($pid)) {
                    return;
                }
            }
            if ($next !== null) {
                posix_kill($pid, $next);
            }
        }
        throw new Exception(sprintf(__('Le démon ne s\'arrête pas (processus %d).', __FILE__), $pid));
    }

    /**
     * Once the request is over: a running daemon that was started with another port or cycle is restarted, and one
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
        $running = self::arguments((int) self::pid());
        $wanted = self::command();
        foreach (['--socketport', '--cycle'] as $option) {
            if (self::argument($running, $option) !== self::argument($wanted, $option)) {
                return true;
            }
        }
        return false;
    }

    private static function argument(array $arguments, string $option): string
    {
        return $arguments[array_search($option, $arguments, true) + 1] ?? '';
    }

    /** Tells a running daemon about a log option; one that is down gets it at its start. */
    public static function tellLog(array $options): void
    {
        try {
            if (self::isRunning()) {
                jeenergieSocket::request('log', $options);
            }
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    /** Jeedom's log level for the plugin, by name. */
    public static function logLevel(): string
    {
        return log::convertLogLevel((int) log::getLogLevel('jeenergie'));
    }

    /** Where Jeedom answers on this machine; the certificate of that address is asked by nobody. */
    public static function callbackUrl(): string
    {
        $url = network::getNetworkAccess('internal', 'http:127.0.0.1:port:comp');
        $port = parse_url($url, PHP_URL_PORT);
        // The core keeps the configured port, which speaks what it was configured for.
        if ($port === 443 || ($port !== 80 && config::byKey('internalProtocol') === 'https://')) {
            $url = preg_replace('/^http:/', 'https:', $url);
        }
        return $url . '/core/api/jeeApi.php';
    }

    /** @return string[] the command, without any secret: every local user may read it */
    private static function command(): array
    {
        $command = [
            jeenergieDependencies::python(), '-m', self::MODULE,
            '--loglevel', self::logLevel(),
            '--callback', self::callbackUrl(),
            '--plugin', 'jeenergie',
            '--socketport', (string) self::port(),
            '--pid', self::pidFile(),
            '--datadir', self::dataFolder(),
            '--cycle', (string) config::byKey('cycle', 'jeenergie'),
        ];
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
        $streams = [
            ['file', '/dev/null', 'r'],
            ['file', log::getPathToLog(self::LOG), 'a'],
            ['file', self::errorFile(), 'w'],
            ['pipe', 'w'],
        ];
        // Forked once more by setsid, so that it is no child of the web server, which would keep it as a zombie.
        $process = proc_open(
            array_merge(['setsid', '--fork'], self::command()),
            $streams,
            $pipes,
            self::dataFolder(),
            ['JEEDOM_APIKEY' => jeedom::getApiKey('jeenergie')] + getenv()
        );
        if ($process === false) {
            throw new Exception(__('Le démon ne peut pas être lancé : la commande setsid manque.', __FILE__));
        }
        stream_set_blocking($pipes[3], false);
        return [$process, $pipes[3]];
    }

    private static function answers(): bool
    {
        try {
            // Its pid first: on this port could be another one, started by hand.
            return self::isRunning() && jeenergieSocket::request('status', [], 2) !== [];
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

    /** Whether a program listens there. Read, not tried: a try could get in the way of a daemon that starts just now. */
    private static function isPortTaken(int $port): bool
    {
        $here = sprintf('(0100007F|0{8}|0{32}|0{16}FFFF0{12}|0{16}FFFF00000100007F):%04X', $port);
        foreach (['/proc/net/tcp', '/proc/net/tcp6'] as $table) {
            if (preg_match('/^\s*\d+: ' . $here . ' [0-9A-F]+:0000 0A /m', (string) @file_get_contents($table)) === 1) {
                return true;
            }
        }
        return false;
    }

    /** What the daemon wrote to its error output when it gave up. */
    private static function lastWords(): string
    {
        $lines = array_filter(array_map('trim', explode("\n", (string) @file_get_contents(self::errorFile()))));
        return (string) end($lines);
    }

    private static function errorFile(): string
    {
        return jeedom::getTmpFolder('jeenergie') . '/deamon.err';
    }

    private static function dataFolder(): string
    {
        $folder = dirname(__DIR__, 2) . '/data/daemon';
        if (!is_dir($folder)) {
            mkdir($folder, 0700, true);
        }
        return $folder;
    }
}
