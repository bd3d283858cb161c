<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use DB;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Energy\Readings;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;
use Jeenergie\Storage\Lock;
use log;
use Throwable;
use translate;

/**
 * Everything that should run, in the form of the daemon's command "configure".
 *
 * Every save or removal calls changed(); the state is sent once, at the end of the request. A stopped daemon can miss it: it
 * asks for the state at its next start.
 */
final class DesiredState
{
    private static $scheduled = false;

    /** Schedules sending the state at the end of the request. */
    public static function changed(): void
    {
        if (!self::$scheduled) {
            self::$scheduled = true;
            register_shutdown_function([self::class, 'flush']);
        }
    }

    /** Sends the state if changed() was called; never throws. */
    public static function flush(): void
    {
        if (!self::$scheduled || DataFolder::isRemoved()) {
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

    /**
     * Sends the connections to forget and the state now.
     *
     * @return array {started, updated, stopped, unchanged}: ids of connections
     * @throws Refusal if the daemon refuses or does not answer
     */
    public static function send(): array
    {
        self::$scheduled = false;
        // One request at a time, so that the higher revision is the newer state.
        $result = Lock::during('configure', static function (): array {
            self::sendForgotten();
            $state = self::build();
            return Socket::request('configure', ['revision' => self::nextRevision()] + $state);
        });
        Readings::follow();
        return $result;
    }

    /** Has the daemon erase what it stores for a removed connection, now or at its next start. */
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
     * One connection as the socket's messages describe it.
     *
     * @param jeenergie[] $equipment
     * @param array $commands settings of commands, by eqLogic id, then logicalId
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
            // An object: an empty array would be encoded as [].
            $typed[$logicalId] = (object) Settings::usable($fields[$logicalId] ?? [], $settings);
        }
        return [
            'id' => (string) $eqLogic->getId(),
            'name' => (string) $eqLogic->getName(),
            // How a tile looks is Jeedom's own affair.
            'config' => (object) array_diff_key($eqLogic->config(), ['tile' => true]),
            'commands' => (object) $typed,
        ];
    }

    /** Settings of all commands of the plugin, by eqLogic id, then logicalId, in one query. */
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
        // Other connections may have been removed meanwhile.
        if ($sent !== []) {
            self::changeForgotten(fn(array $ids): array => array_diff($ids, $sent));
        }
    }

    /** @return string[] ids of removed connections the daemon has yet to forget, from the database */
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

    /** A number that only grows. It follows the clock, so that the stored one may be lost. */
    private static function nextRevision(): int
    {
        $revision = max((int) config::byKey('revision', 'jeenergie', 0, true) + 1, time());
        config::save('revision', $revision, 'jeenergie');
        return $revision;
    }
}
