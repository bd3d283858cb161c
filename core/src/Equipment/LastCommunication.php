<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use jeenergie;
use Jeenergie\Storage\Moment;

/**
 * The core's "last communication", on which the user's own time-out alerts are based. Only data count.
 *
 * A connection that is reported unreachable every few minutes has not communicated. Data of its equipment count for the
 * connection, which has hardly any commands itself.
 */
final class LastCommunication
{
    /** Minimum time between two updates of a connection, each of which costs a query. */
    private const INTERVAL_S = 60;

    /** @param jeenergie[] $eqLogics by id: those that have just sent data */
    public static function update(array $eqLogics): void
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

    /** Runs an action that the core takes for a communication, and restores the former one. */
    public static function unchangedBy(jeenergie $eqLogic, callable $action): void
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

    /** True if it was updated within INTERVAL_S; read from the cache, without the eqLogic's row. */
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
