<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use config;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
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
        if ($equipment->getIsEnable() != 1) {
            return;
        }
        foreach (Catalogue::backends() as $backend) {
            $automatic = Catalogue::of($backend)['automatic'] ?? null;
            if ($automatic === null || config::byKey(self::CREATED . $backend, 'jeenergie') != '') {
                continue;
            }
            if ($equipment->backend() !== $backend && self::measures($equipment, $automatic['when'])) {
                self::create($backend, __($automatic['name'], __FILE__));
            }
        }
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

    private static function create(string $backend, string $name): void
    {
        Lock::during('automatic', static function () use ($backend, $name): void {
            if (config::byKey(self::CREATED . $backend, 'jeenergie', '', true) != '') {
                return;
            }
            config::save(self::CREATED . $backend, 1, 'jeenergie');
            foreach (jeenergie::connections() as $connection) {
                if ($connection->backend() === $backend) {
                    return;
                }
            }
            try {
                $connection = new jeenergie();
                $connection->setName($name)->setIsEnable(1);
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
