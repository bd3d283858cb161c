<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use jeedom;

/**
 * The plugin's api key: by it the daemon proves to Jeedom who it is, and Jeedom to the daemon. It is worth something
 * only while the plugin is active.
 */
final class ApiKey
{
    private const MODE = 'api::jeenergie::mode';
    private const RESTRICTED = 'api::jeenergie::restricted';

    /**
     * Empty while the plugin is deactivated. The core's getApiKey() would make one, and open it to every address: it
     * turns the mode "disable", which it takes for "not set yet", into "enable".
     */
    public static function get(): string
    {
        return (string) config::byKey('api', 'jeenergie');
    }

    /** At activation: the key is for the daemon, which is on this machine and sends events only. */
    public static function give(): void
    {
        self::restrict();
        config::save(self::MODE, 'localhost');
        jeedom::getApiKey('jeenergie', 'localhost');
    }

    /** Keys that were made by the core alone can do everything. */
    public static function restrict(): void
    {
        config::save(self::RESTRICTED, 1);
    }

    /**
     * At deactivation. What limits it stays: whatever makes another key meanwhile, such as the core's page of api keys,
     * makes one that opens nothing.
     */
    public static function withdraw(): void
    {
        self::restrict();
        config::save(self::MODE, 'disable');
        config::remove('api', 'jeenergie');
    }
}
