<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use jeenergie;
use Jeenergie\Storage\Moment;

/**
 * The core's "last communication", which the user's own time-out alerts go by: only data count.
 *
 * A connection that is told every few minutes to be out of reach has not communicated. Data of its equipment are its
 * own communication: it has hardly any command itself.
 */
final class LastCommunication
{
    /** For so long a connection is not marked again, which costs a query. */
    private const INTERVAL_S = 60;

    /** @param jeenergie[] $eqLogics that have sent data just now */
    public static function of(array $eqLogics): void
    {
        $connections = [];
        foreach ($eqLogics as $eqLogic) {
            self::mark($eqLogic);
            $connections[(string) $eqLogic->getConfiguration('connection')] = true;
        }
        foreach (array_keys(array_diff_key($connections, $eqLogics, ['' => true])) as $id) {
            if (!self::isMarked((string) $id)) {
                $connection = jeenergie::byId($id);
                if ($connection instanceof jeenergie) {
                    self::mark($connection);
                }
            }
        }
    }

    /** Runs what the core takes for a communication and is none. */
    public static function without(jeenergie $eqLogic, callable $action): void
    {
        $before = self::status($eqLogic);
        $action();
        if (self::status($eqLogic) !== $before) {
            $eqLogic->setStatus($before);
        }
    }

    private static function mark(jeenergie $eqLogic): void
    {
        $eqLogic->setStatus(['lastCommunication' => Moment::text(time()), 'timeout' => 0]);
    }

    /** Whether it has been marked within the interval; read without its row. */
    private static function isMarked(string $id): bool
    {
        $status = self::status((new jeenergie())->setId($id));
        $age = time() - (int) strtotime((string) $status['lastCommunication']);
        return $status['timeout'] == 0 && $age >= 0 && $age < self::INTERVAL_S;
    }

    private static function status(jeenergie $eqLogic): array
    {
        return $eqLogic->getStatus(['lastCommunication', 'timeout']);
    }
}
