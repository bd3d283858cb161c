<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Dependencies;
use Jeenergie\Daemon\Reach;
use Jeenergie\Daemon\Socket;
use Jeenergie\Storage\Moment;
use plugin;

/**
 * The plugin's state of health: for its pages, the core's health page and posts on the forum.
 */
final class Health
{
    private const JUST_NOW_S = 5;

    /** Units of an age: [up to how many seconds it is used, its length in seconds]. */
    private const UNITS = ['s' => [60, 1], 'min' => [3600, 60], 'h' => [172800, 3600], 'd' => [null, 86400]];

    /** How long a page waits for the daemon. */
    private const MAX_WAIT_S = 2;

    /** @return array {running, version, uptime, outbox, callbackError, connections, error} */
    public static function daemon(): array
    {
        $status = ['running' => Daemon::isRunning(), 'error' => '', 'connections' => []];
        if (!$status['running']) {
            $status['error'] = self::readiness()['text'] ?: __('Le démon est arrêté : les valeurs ne sont plus mises à jour.', __FILE__);
            return $status;
        }
        try {
            return Socket::request('status', [], self::MAX_WAIT_S) + $status;
        } catch (Exception $error) {
            $status['error'] = $error->getMessage();
            return $status;
        }
    }

    /**
     * Whether the daemon runs and, if not, why, as a sentence for the user.
     *
     * @return array {state: running, unheard (it runs, but its values do not arrive), stopped, dependencies, installing
     * or blocked, text: '' if running}
     */
    public static function readiness(): array
    {
        if (Daemon::isRunning()) {
            $problem = Reach::current();
            return ['state' => $problem === '' ? 'running' : 'unheard', 'text' => $problem];
        }
        $plugin = plugin::byId('jeenergie');
        $dependencies = $plugin->dependancy_info();
        if ($dependencies['state'] === 'in_progress') {
            return [
                'state' => 'installing',
                'text' => __('Les dépendances s\'installent, le démon démarrera ensuite.', __FILE__),
            ];
        }
        if ($dependencies['state'] !== 'ok') {
            return [
                'state' => 'dependencies',
                'text' => Dependencies::why()
                    ?: __('Les dépendances ne sont pas installées : le démon ne peut pas démarrer.', __FILE__),
            ];
        }
        $info = $plugin->deamon_info();
        if ($info['launchable'] !== 'ok') {
            return [
                'state' => 'blocked',
                'text' => sprintf(__('Le démon ne peut pas démarrer : %s', __FILE__), $info['launchable_message']),
            ];
        }
        return [
            'state' => 'stopped',
            'text' => __('Le démon est arrêté : les valeurs ne sont plus mises à jour.', __FILE__),
        ];
    }

    /** Rows of the core's health page. */
    public static function rows(): array
    {
        $status = self::daemon();
        $rows = [self::daemonRow($status)];
        if (!$status['running']) {
            return $rows; // one cause is one error; that no connection does anything follows
        }
        if ($status['error'] === '') {
            $rows[] = self::callbackRow($status);
        }
        foreach (jeenergie::connections() as $connection) {
            if ($connection->getIsEnable() == 1) {
                $rows[] = self::connectionRow($connection, self::oldest($status, $connection));
            }
        }
        return $rows;
    }

    private static function daemonRow(array $status): array
    {
        return [
            'test' => __('Réponse du démon', __FILE__),
            'result' => htmlspecialchars($status['error'] ?: __('Version', __FILE__) . ' ' . $status['version']),
            'advice' => $status['error'] === '' ? '' : __('Regardez le log jeenergie_daemon.', __FILE__),
            'state' => $status['error'] === '',
        ];
    }

    /** Whether values reach Jeedom. */
    private static function callbackRow(array $status): array
    {
        $callback = jeenergie::dictionary($status['callback'] ?? null);
        $error = (string) ($callback['error'] ?? '');
        $detour = (string) ($callback['detour'] ?? '');
        return [
            'test' => __('Transmission des valeurs à Jeedom', __FILE__),
            'result' => htmlspecialchars($error === '' ? __('OK', __FILE__) : $error),
            'advice' => htmlspecialchars($error !== '' ? Reach::sentence($error) : ($detour === '' ? '' : sprintf(
                __('Par %1$s, car %2$s : vérifiez l\'accès interne dans Réglages → Système → Configuration → Réseaux.', __FILE__),
                $callback['inUse'],
                $detour
            ))),
            'state' => $error === '',
        ];
    }

    /** @param array $oldest as oldest() says */
    private static function connectionRow(jeenergie $connection, array $oldest): array
    {
        $state = $connection->state();
        $name = $state['state'] ?? '';
        $text = $name === '' ? __('Aucune réponse', __FILE__) : Catalogue::state($name);
        return [
            'test' => htmlspecialchars($connection->getName()),
            'result' => $text . ($oldest === [] ? '' : '<br>' . htmlspecialchars(sprintf(
                __('Donnée la plus ancienne : %1$s (%2$s)', __FILE__),
                self::age(time() - $oldest['moment']),
                $oldest['name']
            ))),
            'advice' => htmlspecialchars((string) ($state['message'] ?? '')),
            'state' => in_array($name, ['online', 'connecting', 'waiting'], true),
        ];
    }

    /**
     * The equipment of a connection whose expected data are the oldest.
     *
     * @param array $status as daemon() returns it
     * @return array {equipment: id, name, moment: Unix time, at: local date}; [] if the daemon reports none
     */
    private static function oldest(array $status, jeenergie $connection): array
    {
        $told = jeenergie::dictionary($status['connections'][(string) $connection->getId()]['oldest'] ?? null);
        $equipment = isset($told['equipment'], $told['at']) ? jeenergie::byId($told['equipment']) : null;
        if (!$equipment instanceof jeenergie) {
            return [];
        }
        $moment = Moment::parse((string) $told['at']);
        return [
            'equipment' => (string) $equipment->getId(),
            'name' => $equipment->getName(),
            'moment' => $moment,
            'at' => Moment::text($moment),
        ];
    }

    /** The same of all connections for which the daemon reports one, by id. */
    public static function oldestOfAll(array $status): array
    {
        $all = [];
        foreach (jeenergie::connections() as $connection) {
            $all[(string) $connection->getId()] = self::oldest($status, $connection);
        }
        return array_filter($all);
    }

    private static function age(int $seconds): string
    {
        if ($seconds < self::JUST_NOW_S) {
            return __('à l\'instant', __FILE__);
        }
        foreach (self::UNITS as $unit => [$below, $size]) {
            if ($below === null || $seconds < $below) {
                break;
            }
        }
        return sprintf(__('il y a %s', __FILE__), intdiv($seconds, $size) . "\u{a0}" . ($unit === 'd' ? __('j', __FILE__) : $unit));
    }

    /** HTML to post in public: no name, address, identifier or secret. */
    public static function forCommunity(): string
    {
        $status = self::daemon();
        $lines = [
            'PHP ' . PHP_VERSION,
            'daemon ' . ($status['version'] ?? '-') . ', outbox ' . ($status['outbox'] ?? '-')
                . ', callback ' . (empty($status['callbackError']) ? 'ok' : 'nok'),
        ];
        $counts = [];
        foreach (jeenergie::byType('jeenergie') as $eqLogic) {
            $state = $eqLogic->isConnection() ? 'connection ' . ($eqLogic->state()['state'] ?? '-') : $eqLogic->type();
            $label = $eqLogic->backend() . ' ' . $state . ($eqLogic->getIsEnable() == 1 ? '' : ' (off)');
            $counts[$label] = ($counts[$label] ?? 0) + 1;
        }
        foreach ($counts as $label => $count) {
            $lines[] = $label . ' x ' . $count;
        }
        return '<br>```<br>' . implode('<br>', array_map('htmlspecialchars', $lines)) . '<br>```<br>';
    }
}
