<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use Jeenergie\Energy\Automatic;
use Jeenergie\Energy\Readings;
use Jeenergie\Energy\Trigger;
use Jeenergie\Equipment\Discovery;
use Jeenergie\MoveIn\Background;
use Jeenergie\Pages\Documentation;
use Jeenergie\Pages\Health;
use Jeenergie\Storage\Lock;
use log;
use Throwable;

/**
 * What the core calls on the plugin's class by its name: daemon, dependencies, configuration, background tasks, backups and
 * health. Tasks that were scheduled before an update are found by these names after it, so they never change.
 */
trait CoreHooks
{
    /** Receives what the daemon posts to core/api/jeeApi.php, which has checked the key. */
    public static function event(): void
    {
        Callback::answer($_POST['payload'] ?? '');
    }

    public static function deamon_info(): array
    {
        return Daemon::info();
    }

    public static function deamon_start(): void
    {
        Daemon::start();
    }

    public static function deamon_stop(): void
    {
        Daemon::stop();
    }

    public static function dependancy_info(): array
    {
        return Dependencies::info();
    }

    public static function dependancy_install(): array
    {
        return Dependencies::install();
    }

    public static function preConfig_socketport($value): string
    {
        return Daemon::checkedPort($value);
    }

    public static function preConfig_cycle($value): string
    {
        return Daemon::checkedCycle($value);
    }

    public static function postConfig_socketport(): void
    {
        Daemon::followConfiguration();
    }

    public static function postConfig_cycle(): void
    {
        Daemon::followConfiguration();
    }

    /** The api key has changed; a daemon with the former one is refused. */
    public static function postConfig_api(): void
    {
        Daemon::followConfiguration();
    }

    /** Run by the core every minute. */
    public static function cron(): void
    {
        Daemon::everyMinute();
        Background::resume();
        Automatic::everyMinute();
        Readings::everyMinute();
    }

    /** Run in the background, see plugin_info/install.php. */
    public static function startAfterUpdate(): void
    {
        Daemon::startAfterUpdate();
    }

    public static function postConfig_extendedDebug($value): void
    {
        Daemon::setLogOptions(['extendedDebug' => (bool) $value]);
    }

    public static function postConfig_unsecureLog($value): void
    {
        Daemon::setLogOptions(['unsecure' => (bool) $value]);
    }

    /** Called by the core before a backup, which an exception would abort. */
    public static function backup(): void
    {
        foreach ([[Documentation::class, 'keep'], [Backup::class, 'prepare']] as $step) {
            try {
                $step();
            } catch (Throwable $error) {
                log::add('jeenergie', 'warning', $error->getMessage());
            }
        }
    }

    /** Called by the core during a backup: paths to leave out. */
    public static function backupExclude(): array
    {
        try {
            return Backup::excluded();
        } catch (Throwable $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
            return [];
        }
    }

    public static function health(): array
    {
        return Health::rows();
    }

    public static function getConfigForCommunity(): string
    {
        return Health::forCommunity();
    }

    /** Run in the background after the save of a connection: see Lifecycle::afterSave(). */
    public static function welcome(array $_options): void
    {
        Lock::inBackground();
        Discovery::welcome((string) $_options['connection']);
    }

    /** Run in the background: moves a former plugin in, or puts it back, see Background. */
    public static function runMoveIn(): void
    {
        Background::run();
    }

    /** Called by the core with each new value of a command that the plugin listens to, see Readings. */
    public static function onReading(array $_options): void
    {
        Readings::take($_options);
    }

    /** Run in the background: sends values that came too fast one after the other, see Readings. */
    public static function carryReadings(): void
    {
        Readings::carry();
    }

    /** Run in the background: executes the command the user chose, see Trigger. */
    public static function runTrigger(array $_options): void
    {
        Trigger::run($_options);
    }
}
