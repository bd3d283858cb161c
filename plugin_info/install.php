<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Daemon\ApiKey;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Equipment\Commands;

require_once __DIR__ . '/../../../core/php/core.inc.php';

class_exists('jeenergie'); // registers the autoloader of the plugin's other classes

/** Minutes without a communication after which the core restarts the daemon. */
const JEENERGIE_HEARTBEAT = 15;

/** Run by the core when the plugin is activated. */
function jeenergie_install(): void
{
    ApiKey::give();
    jeenergie_defaultHeartbeat();
    jeenergie::backup();
}

/** Run by the core after new files were copied over an active plugin. */
function jeenergie_update(): void
{
    jeenergie_removeFormerClasses();
    ApiKey::restrict();
    jeenergie_defaultHeartbeat();
    jeenergie::backup();
    foreach (jeenergie::byType('jeenergie') as $eqLogic) {
        try {
            Commands::apply($eqLogic);
        } catch (Exception $error) {
            log::add('jeenergie', 'error', $eqLogic->getName() . ' : ' . $error->getMessage());
        }
    }
    // The core has stopped the daemon and would restart it within five minutes only.
    utils::executeAsync('jeenergie', 'startAfterUpdate');
}

/** Run by the core when the plugin is deactivated, and after its equipment is gone when it is removed. */
function jeenergie_remove(): void
{
    try {
        Daemon::stop(); // also one without a pid file
    } catch (Exception $error) {
        log::add('jeenergie', 'error', $error->getMessage());
    }
    message::removeAll('jeenergie');
    ApiKey::withdraw();
    $removed = eqLogic::byType('jeenergie') === [];
    // A value chosen by the user survives a deactivation.
    if ($removed || config::byKey('heartbeat::delay::jeenergie') == JEENERGIE_HEARTBEAT) {
        config::remove('heartbeat::delay::jeenergie');
        config::remove('heartbeat::restartDeamon::jeenergie');
    }
    if ($removed) {
        config::remove('log::level::jeenergie');
        jeenergie_forgetCache();
    }
}

/** What the core keeps for the plugin in its cache, some of it without an end. */
function jeenergie_forgetCache(): void
{
    try {
        foreach (cache::getEngine()::all() as $each) {
            $key = is_object($each) ? (string) $each->getKey() : '';
            if (strpos($key, 'jeenergie') !== false) {
                cache::delete($key);
            }
        }
    } catch (Throwable $error) {
        log::add('jeenergie', 'error', $error->getMessage());
    }
}

function jeenergie_defaultHeartbeat(): void
{
    if (config::byKey('heartbeat::delay::jeenergie') === '') {
        config::save('heartbeat::delay::jeenergie', JEENERGIE_HEARTBEAT);
        config::save('heartbeat::restartDeamon::jeenergie', 1);
    }
}

/** Removes the classes that were in core/class before core/src: the core deletes dropped files only after a week. */
function jeenergie_removeFormerClasses(): void
{
    array_map('unlink', glob(dirname(__DIR__) . '/core/class/jeenergie[A-Z]*.class.php'));
}
