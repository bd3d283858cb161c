<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use jeedom;
use Jeenergie\Storage\DataFolder;

/**
 * The plugin's api key, with which the daemon and Jeedom authenticate to each other. It is valid only while the plugin is
 * active.
 */
final class ApiKey
{
    private const MODE = 'api::jeenergie::mode';
    private const RESTRICTED = 'api::jeenergie::restricted';

    /**
     * Returns the key, or '' while the plugin is deactivated. The core's getApiKey() would create one and accept it from
     * any address: it takes the mode "disable" for "not set yet" and turns it into "enable".
     */
    public static function get(): string
    {
        return (string) config::byKey('api', 'jeenergie');
    }

    /** Run at activation: creates a key for the daemon, which runs on this machine and only sends events. */
    public static function give(): void
    {
        self::restrict();
        config::save(self::MODE, 'localhost');
        jeedom::getApiKey('jeenergie', 'localhost');
    }

    /** Limits the key to events; one that the core has created may call everything. */
    public static function restrict(): void
    {
        config::save(self::RESTRICTED, 1);
    }

    /**
     * Run at deactivation: removes the key. Its limits stay, so that a key created meanwhile, for example on the core's
     * page of api keys, gives access to nothing.
     */
    public static function withdraw(): void
    {
        self::restrict();
        config::save(self::MODE, 'disable');
        config::remove('api', 'jeenergie');
        // Loaded now: when the request ends, the core may have deleted the plugin's files, and its limits go as well.
        DataFolder::isRemoved();
        register_shutdown_function([self::class, 'forgetIfRemoved']);
    }

    public static function forgetIfRemoved(): void
    {
        if (DataFolder::isRemoved()) {
            config::remove(self::MODE);
            config::remove(self::RESTRICTED);
        }
    }
}
