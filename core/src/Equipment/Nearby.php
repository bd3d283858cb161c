<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Socket;

/**
 * What the daemon finds on the local network, for a new connection.
 */
final class Nearby
{
    /**
     * Takes some ten seconds.
     *
     * @return array[] {backend, address, serial, config: settings of a new connection, known: id of the connection
     *   that has these settings, or null}
     */
    public static function search(): array
    {
        $found = [];
        foreach (jeenergie::dictionary(Socket::request('nearby')['found'] ?? null) as $each) {
            if (in_array($each['backend'], Catalogue::backends(), true)) {
                $found[] = $each + ['known' => self::known($each['backend'], jeenergie::dictionary($each['config']))];
            }
        }
        return $found;
    }

    /** The id of the connection whose settings begin with these; null if there is none. */
    private static function known(string $backend, array $config): ?string
    {
        foreach (jeenergie::byType('jeenergie') as $eqLogic) {
            $same = $eqLogic->isConnection() && $eqLogic->backend() === $backend
                && array_intersect_key($eqLogic->enteredSettings(), $config) == $config;
            if ($same) {
                return (string) $eqLogic->getId();
            }
        }
        return null;
    }
}
