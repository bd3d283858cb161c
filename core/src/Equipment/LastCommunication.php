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

    /**
     * @param jeenergie[] $eqLogics by id: those that have just sent data
     * @return bool whether the core's cache, which has values as well, was lost since the last data of a connection
     */
    public static function update(array $eqLogics): bool
    {
        $connections = [];
        foreach ($eqLogics as $eqLogic) {
            self::mark($eqLogic);
            $connections[(string) $eqLogic->getConfiguration('connection')] = true;
        }
        $lost = false;
        foreach (array_keys(array_diff_key($connections, $eqLogics, ['' => true])) as $id) {
            $known = self::status((new jeenergie())->setId($id));
            if (!self::isMarked($known)) {
                $connection = jeenergie::byId($id);
                if ($connection instanceof jeenergie) {
                    self::mark($connection);
                    $lost = $lost || (string) $known['lastCommunication'] === '';
                }
            }
        }
        return $lost;
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

    /** Runs an action that sets it to the date of a value, and restores the former one if that was younger. */
    public static function notOlderAfter(jeenergie $eqLogic, callable $action): void
    {
        $before = self::status($eqLogic);
        $action();
        if (self::moment($before) > self::moment(self::status($eqLogic))) {
            $eqLogic->setStatus($before);
        }
    }

    private static function mark(jeenergie $eqLogic): void
    {
        $eqLogic->setStatus(['lastCommunication' => Moment::text(time()), 'timeout' => 0]);
    }

    /** True if it was updated within INTERVAL_S. */
    private static function isMarked(array $status): bool
    {
        $age = time() - self::moment($status);
        return $status['timeout'] == 0 && $age >= 0 && $age < self::INTERVAL_S;
    }

    private static function moment(array $status): int
    {
        return (int) strtotime((string) $status['lastCommunication']);
    }

    /** Read from the cache, without the eqLogic's row. */
    private static function status(jeenergie $eqLogic): array
    {
        return $eqLogic->getStatus(['lastCommunication', 'timeout']);
    }
}
