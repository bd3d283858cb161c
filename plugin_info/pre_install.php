<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Daemon\Daemon;

/**
 * Run by the core, from the old version, once the new one is downloaded and before it is copied.
 *
 * The core cleans the other folders of what a version has dropped, but not these.
 */
function jeenergie_pre_update(): void
{
    try {
        // In good order, while its files are there.
        class_exists('jeenergie') && Daemon::stop();
    } catch (Throwable $error) {
        log::add('jeenergie', 'error', $error->getMessage());
    }
    foreach (['/resources/daemon', '/jeedom_bridge'] as $folder) {
        rrmdir(dirname(__DIR__) . $folder);
    }
}
