<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use cmd;
use Exception;
use jeenergie;

/**
 * Unix times, and the local dates in which Jeedom stores them.
 *
 * In the hour that clocks repeat in autumn a local date stands for two moments, and the later one may have the smaller date:
 * Unix times are compared, never dates.
 */
final class Moment
{
    /** Cache key for the Unix time of a date that PHP would parse as the other of its two moments. */
    private const NOTE = 'moment';

    /** Time that may pass between our look at the clock and the core's. */
    private const TOLERANCE_S = 5;

    /** @throws Exception if it is not ISO 8601 */
    public static function parse(string $moment): int
    {
        $timestamp = strtotime($moment);
        if ($timestamp === false) {
            throw new Exception('not a moment: ' . $moment);
        }
        return $timestamp;
    }

    public static function text(int $moment): string
    {
        return date('Y-m-d H:i:s', $moment);
    }

    /** Unix time since which a command has its value; null if it has none. */
    public static function ofValue(cmd $cmd): ?int
    {
        $text = (string) $cmd->getCache('collectDate');
        $noted = jeenergie::dictionary($cmd->getCache(self::NOTE));
        if ($text !== '' && ($noted['text'] ?? '') === $text) {
            return (int) $noted['moment'];
        }
        $moment = $text === '' ? false : strtotime($text);
        return $moment === false ? null : $moment;
    }

    /** Must be called after a command's value was set. Writes only in the second of the two hours. */
    public static function note(cmd $cmd, int $moment): void
    {
        $shift = $moment - strtotime(self::text($moment));
        if ($shift === 0) {
            return;
        }
        $text = (string) $cmd->getCache('collectDate');
        $meant = $text === '' ? 0 : strtotime($text) + $shift;
        // A different date means that the core has not accepted the value.
        if (abs($meant - $moment) <= self::TOLERANCE_S) {
            $cmd->setCache(self::NOTE, ['text' => $text, 'moment' => $meant]);
        }
    }
}
