<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use config;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Equipment\Lifecycle;
use Jeenergie\Equipment\Names;
use Jeenergie\Storage\Lock;
use log;

/**
 * Creates the connections that nobody has to add: a catalogue with "automatic" gets one connection per Jeedom, as soon
 * as an equipment measures one of its quantities.
 */
final class Automatic
{
    /** Prefix of the plugin's configuration keys that remember what was created: deleted by the user, it stays so. */
    private const CREATED = 'automatic::';

    public static function afterSave(jeenergie $equipment): void
    {
        if ($equipment->getIsEnable() != 1 || $equipment->isConnection()) {
            return;
        }
        foreach (self::missing() as $backend) {
            if ($equipment->backend() !== $backend && self::measures($equipment, Catalogue::of($backend)['automatic']['when'])) {
                self::create($backend);
            }
        }
    }

    /**
     * Every minute: for meters that were there before such a catalogue, and after a creation that failed or was not finished:
     * nobody presses a button for what makes itself.
     */
    public static function everyMinute(): void
    {
        // Its equipment is discovered by the daemon.
        if (!Daemon::isRunning()) {
            return;
        }
        foreach (jeenergie::connections() as $connection) {
            if (isset(Catalogue::of($connection->backend())['automatic']) && $connection->getIsEnable() == 1) {
                Discovery::scheduleIfNew($connection);
            }
        }
        if (self::missing() === []) {
            return;
        }
        foreach (jeenergie::byType('jeenergie', true) as $equipment) {
            try {
                self::afterSave($equipment);
            } catch (Exception $error) {
                log::add('jeenergie', 'debug', $equipment->getHumanName() . ' : ' . $error->getMessage());
            }
        }
    }

    /** @return string[] backends whose connection has not been created yet */
    private static function missing(): array
    {
        return array_filter(Catalogue::backends(), static function (string $backend): bool {
            return isset(Catalogue::of($backend)['automatic'])
                && config::byKey(self::CREATED . $backend, 'jeenergie') == '';
        });
    }

    private static function measures(jeenergie $equipment, array $quantities): bool
    {
        foreach (Catalogue::rows($equipment->backend(), $equipment->type()) as $row) {
            $measures = $row['measures'] ?? '';
            if (in_array(is_array($measures) ? $measures['quantity'] : $measures, $quantities, true)) {
                return true;
            }
        }
        return false;
    }

    private static function create(string $backend): void
    {
        Lock::during('automatic', static function () use ($backend): void {
            if (config::byKey(self::CREATED . $backend, 'jeenergie', '', true) != '') {
                return;
            }
            config::save(self::CREATED . $backend, 1, 'jeenergie');
            foreach (jeenergie::connections() as $connection) {
                if ($connection->backend() === $backend) {
                    return;
                }
            }
            $name = Catalogue::translated($backend)['automatic']['name'];
            try {
                $connection = new jeenergie();
                $connection->setEqType_name('jeenergie');
                $connection->setObject_id(Lifecycle::onlyObject());
                $connection->setName($name)->setIsEnable(1);
                $connection->setName(Names::ofEqLogic($connection));
                $connection->setIsVisible((int) (Catalogue::part($backend, null)['visible'] ?? false));
                $connection->setConfiguration('kind', 'connection');
                $connection->setConfiguration('backend', $backend);
                $connection->save();
            } catch (Exception $error) {
                config::remove(self::CREATED . $backend, 'jeenergie');
                log::add('jeenergie', 'warning', $name . ' : ' . $error->getMessage());
            }
        });
    }
}
