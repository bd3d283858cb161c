<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use Exception;

/**
 * Named locks between requests, for data that is read, changed and written back.
 *
 * A request may acquire a lock again that it holds. Locks are released at the end of a request, however it ends.
 */
final class Lock
{
    /** @var float how long to wait for another request, in seconds */
    private static $maxWaitS = 20.0;

    /** @var int how many times as long a request waits that runs in the background */
    private static $patience = 1;

    /** @var int[] depth to which this request holds each lock, by name */
    private static $held = [];

    /** Nobody waits for this process, and nobody would try again what it gives up: it waits for minutes. */
    public static function inBackground(): void
    {
        self::$patience = 15;
    }

    /**
     * Runs the action under a lock and returns its result.
     *
     * @param string $name lower case letters
     * @throws Exception if another request holds the lock for longer than maxWaitS
     */
    public static function during(string $name, callable $action)
    {
        $file = ($self = self::$held[$name] ?? 0) > 0 ? null : self::acquire($name);
        self::$held[$name] = $self + 1;
        try {
            return $action();
        } finally {
            self::$held[$name] = $self;
            if ($file !== null) {
                fclose($file);
            }
        }
    }

    /** @return resource */
    private static function acquire(string $name)
    {
        $file = DataFolder::lock($name . '.lock', self::$maxWaitS * self::$patience);
        if ($file === null) {
            throw new Exception(__('Jeedom est occupé par une autre demande : recommencez dans un instant.', __FILE__));
        }
        return $file;
    }
}
