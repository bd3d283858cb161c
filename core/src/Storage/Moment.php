<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use cmd;
use Exception;
use jeenergie;

/**
 * Moments (seconds since 1970), and the local texts in which Jeedom keeps them.
 *
 * In the hour that clocks repeat in autumn a text stands for two moments, and the later one may be the smaller text:
 * moments are compared, never their texts.
 */
final class Moment
{
    /** The moment of a text that is not the one PHP would take it for. */
    private const NOTE = 'moment';

    /** Between our look at the clock and the core's. */
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

    /** Since when a command has its value; null of one that has none. */
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

    /** To be called when a command has got a value; it costs something in the second of the two hours only. */
    public static function note(cmd $cmd, int $moment): void
    {
        $shift = $moment - strtotime(self::text($moment));
        if ($shift === 0) {
            return;
        }
        $text = (string) $cmd->getCache('collectDate');
        $meant = $text === '' ? 0 : strtotime($text) + $shift;
        // Another date means that the core has not taken the value.
        if (abs($meant - $moment) <= self::TOLERANCE_S) {
            $cmd->setCache(self::NOTE, ['text' => $text, 'moment' => $meant]);
        }
    }
}
