<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use jeenergie;
use Jeenergie\Equipment\State;
use message;
use network;

/**
 * Whether values reach Jeedom: the addresses the daemon may use, and the message to the user when all fail.
 *
 * A daemon that cannot reach Jeedom cannot report it; Jeedom asks for its status every minute.
 */
final class Reach
{
    /** Time without a successful callback after which the user gets a message. */
    private const REPORT_AFTER_S = 60;
    private const MAX_WAIT_S = 2;
    private const MAX_ALTERNATIVES = 8;
    private const MESSAGE_ID = 'jeenergie::reach';

    /** Configuration files of web servers, and what names a port to listen on. */
    private const SERVER_FILES = [
        '/etc/apache2/ports.conf' => '/^\s*Listen\s+(?:\S*:)?(?<port>\d{1,5})(?<tls>\s+https)?\s*$/mi',
        '/etc/nginx/sites-enabled/*' => '/^\s*listen\s+(?:\S*:)?(?<port>\d{1,5})(?:\s+(?!ssl)\w+)*(?<tls>\s+ssl)?[^;\n]*;/mi',
        '/etc/nginx/conf.d/*.conf' => '/^\s*listen\s+(?:\S*:)?(?<port>\d{1,5})(?:\s+(?!ssl)\w+)*(?<tls>\s+ssl)?[^;\n]*;/mi',
    ];

    private const CALLBACK_PATH = '/core/api/jeeApi.php';

    /** @var string[]|null patterns by files, for tests */
    private static $serverFiles;

    /**
     * URLs of the callback, the configured one first. The daemon uses another one, always of this machine, only while the
     * first fails, and only after it has proved to be this Jeedom.
     *
     * @return string[]
     */
    public static function addresses(): array
    {
        $addresses = [self::configured()];
        foreach (self::bases() as $base) {
            foreach (array_unique([trim((string) config::byKey('internalComplement'), '/'), '']) as $complement) {
                $addresses[] = rtrim($base . '/' . $complement, '/') . self::CALLBACK_PATH;
            }
        }
        return array_slice(array_values(array_unique($addresses)), 0, 1 + self::MAX_ALTERNATIVES);
    }

    /** URL of the callback by Jeedom's settings. Certificates of a loopback address are not checked. */
    private static function configured(): string
    {
        $url = network::getNetworkAccess('internal', 'http:127.0.0.1:port:comp');
        $port = parse_url($url, PHP_URL_PORT);
        // The core changes the protocol but keeps the configured port, which may expect TLS.
        if ($port === 443 || ($port !== 80 && config::byKey('internalProtocol') === 'https://')) {
            $url = preg_replace('/^http:/', 'https:', $url);
        }
        return $url . self::CALLBACK_PATH;
    }

    /** @return string[] URLs of this machine's web server: its usual port and the configured ones */
    private static function bases(): array
    {
        $bases = ['http://127.0.0.1:80'];
        foreach (self::$serverFiles ?? self::SERVER_FILES as $files => $pattern) {
            foreach ((array) glob($files) as $file) {
                preg_match_all($pattern, (string) @file_get_contents($file, false, null, 0, 65536), $found, PREG_SET_ORDER);
                foreach ($found as $listen) {
                    $tls = ($listen['tls'] ?? '') !== '' || $listen['port'] === '443';
                    $bases[] = ($tls ? 'https' : 'http') . '://127.0.0.1:' . $listen['port'];
                }
            }
        }
        return array_unique($bases);
    }

    /** Run every minute: sends the daemon changed addresses, and the user a message if values do not arrive. */
    public static function watch(): void
    {
        try {
            $status = Daemon::isRunning() ? self::status() : [];
        } catch (Refusal $refusal) {
            if ($refusal->reason() === 'unauthorized') {
                Daemon::start(); // it has a former key
            }
            return; // the core's heartbeat restarts a daemon that does not answer
        }
        self::sendAgain($status);
        self::notifyUser(self::problem($status), $status['callback']['addresses'][0] ?? '');
    }

    /** What is wrong, as a sentence for the user; '' if values arrive or the daemon does not run. */
    public static function current(): string
    {
        try {
            return self::problem(self::status());
        } catch (Refusal $refusal) {
            return '';
        }
    }

    private static function status(): array
    {
        return Socket::request('status', [], self::MAX_WAIT_S);
    }

    /** Sends the state again if the addresses have changed or none works, and if the daemon never got its connections. */
    private static function sendAgain(array $status): void
    {
        $callback = jeenergie::dictionary($status['callback'] ?? null);
        if ($callback === []) {
            return;
        }
        $isOther = $callback['addresses'] !== array_map([self::class, 'withoutAccount'], self::addresses());
        // It asks for its state once, at its start; Jeedom may have been too busy to answer.
        $isEmpty = ($status['connections'] ?? null) === [] && DesiredState::build()['connections'] !== [];
        if ($isOther || $isEmpty || $callback['failingFor'] >= self::REPORT_AFTER_S) {
            DesiredState::changed();
            DesiredState::flush();
        }
    }

    private static function withoutAccount(string $url): string
    {
        return preg_replace('#^(https?://)[^/@]*@#', '$1', $url);
    }

    private static function problem(array $status): string
    {
        $callback = jeenergie::dictionary($status['callback'] ?? null);
        if (($callback['failingFor'] ?? 0) < self::REPORT_AFTER_S || empty($callback['error'])) {
            return '';
        }
        return self::sentence((string) $callback['error']);
    }

    /** @param string $reason reported by the daemon, in the user's language */
    public static function sentence(string $reason): string
    {
        return sprintf(
            __('Les valeurs n\'arrivent pas dans Jeedom : %s. Rien n\'est perdu, elles partiront dès que Jeedom sera joignable. Vérifiez l\'accès interne dans Réglages → Système → Configuration → Réseaux.', __FILE__),
            $reason
        );
    }

    /** One message while the problem lasts, replaced if the address changes, removed once it is over. */
    private static function notifyUser(string $problem, string $address): void
    {
        $known = message::byPluginLogicalId('jeenergie', self::MESSAGE_ID);
        if ($problem !== '' && $known !== [] && strpos($known[0]->getMessage(), $address) !== false) {
            return;
        }
        if ($known !== []) {
            message::removeAll('jeenergie', self::MESSAGE_ID);
        }
        if ($problem !== '') {
            message::add('jeenergie', State::plain($problem), '', self::MESSAGE_ID);
        }
    }
}
