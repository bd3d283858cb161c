<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * One request at a time for what is read, changed and written again: each name is a lock of its own.
 *
 * A request that holds a lock may ask for it again. It ends with the request, however that one ends.
 */
final class jeenergieLock
{
    private const MAX_WAIT_S = 20;
    private const RETRY_US = 20000;

    /** @var int[] how often this request holds each lock */
    private static $held = [];

    /**
     * Runs the action while no other request runs one under this name, and returns its result.
     *
     * @param string $name lower case letters
     * @throws Exception if another request holds the lock for longer than MAX_WAIT_S
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
        $path = jeedom::getTmpFolder('jeenergie') . '/' . $name . '.lock';
        // One that was made by another user of the machine can still be locked.
        $file = @fopen($path, 'c') ?: fopen($path, 'r');
        for ($end = microtime(true) + self::MAX_WAIT_S; !flock($file, LOCK_EX | LOCK_NB); usleep(self::RETRY_US)) {
            if (microtime(true) > $end) {
                fclose($file);
                throw new Exception(__('Jeedom est occupé par une autre demande : recommencez dans un instant.', __FILE__));
            }
        }
        return $file;
    }
}
