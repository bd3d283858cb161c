<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cache;
use event;
use jeenergie;

/**
 * News for open pages. The core sends an event to every signed-in user, whatever their rights: the event only says that
 * there is something new, and pages of administrators ask for the texts.
 */
final class News
{
    /** How long the texts can be asked for. */
    private const KEPT_S = 60;

    /**
     * @param string[] $shown keys of the news that every user may see
     * @param array $news {key: value}, about a connection
     */
    public static function publish(string $event, string $connection, array $shown, array $news): void
    {
        cache::set(self::key($connection, $event), $news, self::KEPT_S);
        event::add('jeenergie::' . $event, ['connection' => $connection] + array_intersect_key($news, array_flip($shown)));
    }

    /** The latest news of that event; [] if there is none. */
    public static function latest(string $event, string $connection): array
    {
        return jeenergie::dictionary(cache::byKey(self::key($connection, $event))->getValue(''));
    }

    private static function key(string $connection, string $event): string
    {
        return 'jeenergie::words::' . $event . '::' . $connection;
    }
}
