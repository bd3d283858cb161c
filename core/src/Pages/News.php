<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cache;
use event;
use jeenergie;

/**
 * News for the pages that are open. The core hands an event to every signed-in user, whatever he may see: an event
 * says that there is something new, and the words are for administrators, whose pages ask for them.
 */
final class News
{
    /** Seconds in which a page asks. */
    private const KEPT_S = 60;

    /**
     * @param string[] $shown keys of the news that everybody may know
     * @param array $news of a connection
     */
    public static function tell(string $event, string $connection, array $shown, array $news): void
    {
        cache::set(self::key($connection, $event), $news, self::KEPT_S);
        event::add('jeenergie::' . $event, ['connection' => $connection] + array_intersect_key($news, array_flip($shown)));
    }

    /** The newest of that kind, or nothing. */
    public static function of(string $event, string $connection): array
    {
        return jeenergie::dictionary(cache::byKey(self::key($connection, $event))->getValue(''));
    }

    private static function key(string $connection, string $event): string
    {
        return 'jeenergie::words::' . $event . '::' . $connection;
    }
}
