<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use Exception;

/**
 * One request at a time for what is read, changed and written again: each name is a lock of its own.
 *
 * A request that holds a lock may ask for it again. It ends with the request, however that one ends.
 */
final class Lock
{
    /** @var float seconds to wait for another request */
    private static $maxWaitS = 20.0;

    /** @var int[] how often this request holds each lock */
    private static $held = [];

    /**
     * Runs the action while no other request runs one under this name, and returns its result.
     *
     * @param string $name lower case letters
     * @throws Exception if another request holds the lock for longer than that
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
        $file = DataFolder::lock($name . '.lock', self::$maxWaitS);
        if ($file === null) {
            throw new Exception(__('Jeedom est occupé par une autre demande : recommencez dans un instant.', __FILE__));
        }
        return $file;
    }
}
