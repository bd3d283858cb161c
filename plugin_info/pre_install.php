<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Daemon\Daemon;

/**
 * Run by the core in the old version, after the new one was downloaded and before it is copied.
 *
 * The core removes dropped files from the other folders, but not from these.
 */
function jeenergie_pre_update(): void
{
    try {
        // Gracefully, while its files exist.
        class_exists('jeenergie') && Daemon::stop();
    } catch (Throwable $error) {
        log::add('jeenergie', 'error', $error->getMessage());
    }
    foreach (['/resources/daemon', '/jeedom_bridge'] as $folder) {
        rrmdir(dirname(__DIR__) . $folder);
    }
}
