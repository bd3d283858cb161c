<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use jeenergie;
use Jeenergie\Equipment\State;
use message;
use network;

/**
 * Whether values reach Jeedom: at which addresses the daemon may try, and what the user is told when it fails.
 *
 * A daemon that does not reach Jeedom cannot say so: it is asked, every minute.
 */
final class Reach
{
    /** Seconds without a callback after which the user is told. */
    private const TOLD_AFTER_S = 60;
    private const MAX_WAIT_S = 2;
    private const MAX_ALTERNATIVES = 8;
    private const MESSAGE = 'jeenergie::reach';

    /** Where web servers of this machine say on which ports they listen. */
    private const SERVER_FILES = [
        '/etc/apache2/ports.conf' => '/^\s*Listen\s+(?:\S*:)?(?<port>\d{1,5})(?<tls>\s+https)?\s*$/mi',
        '/etc/nginx/sites-enabled/*' => '/^\s*listen\s+(?:\S*:)?(?<port>\d{1,5})(?:\s+(?!ssl)\w+)*(?<tls>\s+ssl)?[^;\n]*;/mi',
        '/etc/nginx/conf.d/*.conf' => '/^\s*listen\s+(?:\S*:)?(?<port>\d{1,5})(?:\s+(?!ssl)\w+)*(?<tls>\s+ssl)?[^;\n]*;/mi',
    ];

    private const API = '/core/api/jeeApi.php';

    /** @var string[]|null patterns by files, for tests */
    private static $serverFiles;

    /**
     * Where Jeedom takes the callback, the configured address first. The daemon uses another one of this machine only
     * when that fails, and only if it proves to be this Jeedom.
     *
     * @return string[]
     */
    public static function addresses(): array
    {
        $addresses = [self::configured()];
        foreach (self::bases() as $base) {
            foreach (array_unique([trim((string) config::byKey('internalComplement'), '/'), '']) as $complement) {
                $addresses[] = rtrim($base . '/' . $complement, '/') . self::API;
            }
        }
        return array_slice(array_values(array_unique($addresses)), 0, 1 + self::MAX_ALTERNATIVES);
    }

    /** Where Jeedom answers on this machine by its settings; the certificate of that address is asked by nobody. */
    private static function configured(): string
    {
        $url = network::getNetworkAccess('internal', 'http:127.0.0.1:port:comp');
        $port = parse_url($url, PHP_URL_PORT);
        // The core keeps the configured port, which speaks what it was configured for.
        if ($port === 443 || ($port !== 80 && config::byKey('internalProtocol') === 'https://')) {
            $url = preg_replace('/^http:/', 'https:', $url);
        }
        return $url . self::API;
    }

    /** @return string[] this machine's web server: its usual port, and those that it is configured for */
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

    /** Run every minute: tells the daemon another address, and the user that values do not arrive. */
    public static function watch(): void
    {
        try {
            $status = Daemon::isRunning() ? self::ask() : [];
        } catch (Refusal $refusal) {
            if ($refusal->reason() === 'unauthorized') {
                Daemon::start(); // it has a key from before
            }
            return; // a daemon that does not answer is the business of the core's heartbeat
        }
        self::follow($status);
        self::tell(self::problem($status), $status['callback']['addresses'][0] ?? '');
    }

    /** What is wrong, in words for the user; empty when values arrive or the daemon does not run. */
    public static function current(): string
    {
        try {
            return self::problem(self::ask());
        } catch (Refusal $refusal) {
            return '';
        }
    }

    private static function ask(): array
    {
        return Socket::request('status', [], self::MAX_WAIT_S);
    }

    /** Another address than the one in force, or none that works: all is sent again. */
    private static function follow(array $status): void
    {
        $callback = jeenergie::dictionary($status['callback'] ?? null);
        if ($callback === []) {
            return;
        }
        $isOther = $callback['addresses'] !== array_map([self::class, 'withoutAccount'], self::addresses());
        if ($isOther || $callback['failingFor'] >= self::TOLD_AFTER_S) {
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
        if (($callback['failingFor'] ?? 0) < self::TOLD_AFTER_S || empty($callback['error'])) {
            return '';
        }
        return self::sentence((string) $callback['error']);
    }

    /** @param string $reason what the daemon has met, in the user's language */
    public static function sentence(string $reason): string
    {
        return sprintf(
            __('Les valeurs n\'arrivent pas dans Jeedom : %s. Rien n\'est perdu, elles partiront dès que Jeedom sera joignable. Vérifiez l\'accès interne dans Réglages → Système → Configuration → Réseaux.', __FILE__),
            $reason
        );
    }

    /** One message while it lasts, a new one when another address is meant, none once it is over. */
    private static function tell(string $problem, string $address): void
    {
        $known = message::byPluginLogicalId('jeenergie', self::MESSAGE);
        if ($problem !== '' && $known !== [] && strpos($known[0]->getMessage(), $address) !== false) {
            return;
        }
        if ($known !== []) {
            message::removeAll('jeenergie', self::MESSAGE);
        }
        if ($problem !== '') {
            message::add('jeenergie', State::plain($problem), '', self::MESSAGE);
        }
    }
}
