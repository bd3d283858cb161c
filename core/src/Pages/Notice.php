<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use Jeenergie\Equipment\State;
use log;
use message;

/**
 * What the user is to read in the message centre, and in the plugin's log: once in each.
 */
final class Notice
{
    /** @param string $id one message per id, however often it comes */
    public static function tell(string $level, string $text, string $id): void
    {
        $text = State::plain($text);
        $before = self::timesTold($id);
        log::add('jeenergie', $level, $text, $id);
        // Where its settings say so, the core makes a message of an error of the log; another would count as a second time.
        if (self::timesTold($id) === $before) {
            message::add('jeenergie', $text, '', $id);
        }
    }

    private static function timesTold(string $id): int
    {
        $times = array_map(
            fn(message $each): int => max(1, (int) $each->getOccurrences()),
            message::byPluginLogicalId('jeenergie', $id)
        );
        return array_sum($times);
    }
}
