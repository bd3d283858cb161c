<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use DB;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Storage\Json;
use Jeenergie\Storage\Lock;
use log;
use Throwable;
use translate;

/**
 * All that should run, as the daemon's "configure" wants it.
 *
 * Any save or removal calls changed(); the state leaves once, at the end of the request. A daemon that is
 * down misses it without harm: it asks for it at its next start.
 */
final class DesiredState
{
    private static $scheduled = false;

    /** Something that the daemon should know has changed. */
    public static function changed(): void
    {
        if (!self::$scheduled) {
            self::$scheduled = true;
            register_shutdown_function([self::class, 'flush']);
        }
    }

    /** Sends what changed() has announced; never throws. */
    public static function flush(): void
    {
        if (!self::$scheduled) {
            return;
        }
        self::$scheduled = false;
        try {
            if (Daemon::isRunning()) {
                self::send();
            }
        } catch (Throwable $error) {
            log::add('jeenergie', 'warning', sprintf(
                __('Le démon n\'a pas reçu la nouvelle configuration : %s', __FILE__),
                $error->getMessage()
            ));
        }
    }

    /** Sends the state now, after the connections to forget. */
    public static function send(): array
    {
        self::$scheduled = false;
        // One request at a time, so that the higher revision is the newer state.
        return Lock::during('configure', static function (): array {
            self::sendForgotten();
            $state = self::build();
            return Socket::request('configure', ['revision' => self::nextRevision()] + $state);
        });
    }

    /** A removed connection: the daemon erases what it stores for it, now or at its next start. */
    public static function forget(string $connection): void
    {
        self::changeForgotten(fn(array $ids): array => array_merge($ids, [$connection]));
        self::changed();
    }

    /** @return array {settings, connections} */
    public static function build(): array
    {
        $commands = self::commands();
        $children = [];
        $connections = [];
        foreach (jeenergie::byType('jeenergie', true) as $eqLogic) {
            if ($eqLogic->isConnection()) {
                $connections[] = $eqLogic;
            } else {
                $children[$eqLogic->getConfiguration('connection')][] = $eqLogic;
            }
        }
        $definitions = [];
        foreach ($connections as $connection) {
            $id = $connection->getId();
            try {
                $definitions[] = self::connection($connection, $children[$id] ?? [], $commands);
            } catch (Exception $error) {
                log::add('jeenergie', 'error', $connection->getName() . ' : ' . $error->getMessage());
            }
        }
        return [
            'settings' => [
                'timezone' => date_default_timezone_get(),
                'language' => translate::getLanguage(),
                'callback' => Reach::addresses(),
            ],
            'connections' => $definitions,
        ];
    }

    /**
     * One connection as it goes over the wire.
     *
     * @param jeenergie[] $equipment
     * @param array $commands what the user has set, by logicalId, by eqLogic id
     */
    public static function connection(jeenergie $connection, array $equipment, array $commands): array
    {
        $definition = self::describe($connection, $commands) + ['backend' => $connection->backend(), 'equipment' => []];
        foreach ($equipment as $each) {
            $definition['equipment'][] = self::describe($each, $commands)
                + ['type' => $each->type(), 'key' => $each->key()];
        }
        return $definition;
    }

    private static function describe(jeenergie $eqLogic, array $commands): array
    {
        $fields = Catalogue::commandFields($eqLogic->backend(), $eqLogic->type());
        $typed = [];
        foreach ($commands[$eqLogic->getId()] ?? [] as $logicalId => $settings) {
            // An empty array would leave as [], where an object is wanted.
            $typed[$logicalId] = (object) Settings::usable($fields[$logicalId] ?? [], $settings);
        }
        return [
            'id' => (string) $eqLogic->getId(),
            'name' => (string) $eqLogic->getName(),
            'config' => (object) $eqLogic->config(),
            'commands' => (object) $typed,
        ];
    }

    /** What the user has set on every command of the plugin, by logicalId, by eqLogic id, in one query. */
    private static function commands(): array
    {
        $rows = DB::Prepare(
            'SELECT `eqLogic_id`, `logicalId`, `configuration` FROM `cmd` WHERE `eqType` = :type',
            ['type' => 'jeenergie'],
            DB::FETCH_TYPE_ALL
        );
        $commands = [];
        foreach ($rows as $row) {
            if ($row['logicalId'] == '') {
                continue;
            }
            $commands[$row['eqLogic_id']][$row['logicalId']] = self::settings($row);
        }
        return $commands;
    }

    private static function settings(array $row): array
    {
        try {
            $configuration = $row['configuration'] == '' ? [] : Json::decode($row['configuration']);
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', sprintf(
                __('Les réglages de la commande « %s » (%d) ne sont pas pris en compte : %s', __FILE__),
                $row['logicalId'],
                $row['eqLogic_id'],
                $error->getMessage()
            ));
            return [];
        }
        return jeenergie::dictionary($configuration['settings'] ?? null);
    }

    private static function sendForgotten(): void
    {
        $sent = self::forgotten();
        foreach ($sent as $id) {
            Socket::request('forget', ['connection' => (string) $id]);
        }
        // Others may have been removed while the daemon answered.
        if ($sent !== []) {
            self::changeForgotten(fn(array $ids): array => array_diff($ids, $sent));
        }
    }

    /** @return string[] ids of the removed connections that the daemon has still to forget, read anew */
    private static function forgotten(): array
    {
        return jeenergie::dictionary(config::byKey('toForget', 'jeenergie', '', true));
    }

    private static function changeForgotten(callable $change): void
    {
        Lock::during('forget', static function () use ($change): void {
            $ids = array_values(array_unique($change(self::forgotten())));
            if ($ids === []) {
                config::remove('toForget', 'jeenergie');
            } else {
                config::save('toForget', $ids, 'jeenergie');
            }
        });
    }

    /** Grows for ever: it follows the clock, so that losing the stored one does no harm. */
    private static function nextRevision(): int
    {
        $revision = max((int) config::byKey('revision', 'jeenergie', 0, true) + 1, time());
        config::save('revision', $revision, 'jeenergie');
        return $revision;
    }
}
