<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use DB;
use jeenergie;
use Jeenergie\Storage\Moment;
use jeenergieCmd;
use Throwable;

/**
 * The current value of a command. The core keeps it in its cache only, and a cache loses values.
 *
 * A full disk leaves empty files, whoever sweeps the temporary folder takes all of them, a restart puts back those of the last
 * hour, and the core says nothing of it. The daemon therefore sends what it has sent before once more, and
 * `restore` puts right what is missing.
 */
final class CurrentValue
{
    /** Age from which a value is stored with its own date instead of the present one. */
    private const DATED_AFTER_S = 60;

    /** A fresh value has the date of its arrival: what is sent again may seem to be that much younger or older. */
    private const SAME_S = 60;

    /** Stores a value of so many seconds ago, unless a newer one is there, which the core would overwrite. */
    public static function store(jeenergieCmd $cmd, $value, int $age): void
    {
        try {
            if ($age <= self::DATED_AFTER_S) {
                $cmd->getEqLogic()->checkAndUpdateCmd($cmd, $value, false);
                Moment::note($cmd, time());
            } elseif (self::isNewer($cmd, $value, time() - $age)) {
                self::event($cmd, $value, time() - $age);
            }
        } catch (Throwable $error) {
            self::throwIfDatabaseIsGone($cmd);
            throw $error;
        }
    }

    /**
     * Stores a value that was stored before, if Jeedom has lost it: none is there, or another one that is older.
     *
     * For the core it is a value like any other, since what is computed from it is lost as well; but it is in the history
     * already, and nothing has been communicated.
     */
    public static function restore(jeenergieCmd $cmd, $value, int $age): void
    {
        $moment = time() - $age;
        $formatted = $cmd->formatValue($value);
        $stored = $cmd->execCmd();
        if ($stored === $formatted || $formatted === '' || (!self::isEmpty($stored) && !self::isOlder($cmd, $moment))) {
            return;
        }
        $unrecorded = clone $cmd;
        if ($cmd->getIsHistorized() == 1 && HistoryPoints::exist($cmd)) {
            $unrecorded->setIsHistorized(0);
        }
        LastCommunication::notOlderAfter($cmd->getEqLogic(), static function () use ($unrecorded, $value, $moment): void {
            self::event($unrecorded, $value, $moment);
        });
    }

    /**
     * Restores those of dated measures from their history: a daemon that was started anew does not read again what Jeedom has
     * acknowledged, and the next one may be a day away.
     */
    public static function restoreDated(): void
    {
        foreach (jeenergie::byType('jeenergie', true) as $eqLogic) {
            $dated = array_filter($eqLogic->rows(), fn(array $row): bool => !empty($row['dated']));
            $commands = $dated === [] ? [] : array_intersect_key(Commands::existing($eqLogic), $dated);
            foreach ($commands as $cmd) {
                $newest = self::isEmpty($cmd->execCmd()) ? HistoryPoints::newest($cmd) : null;
                if ($newest !== null) {
                    $cmd->setEqLogic($eqLogic);
                    self::restore($cmd, $newest[1], time() - Moment::parse($newest[0]));
                }
            }
        }
    }

    private static function event(jeenergieCmd $cmd, $value, int $moment): void
    {
        $cmd->event($value, Moment::text($moment));
        Moment::note($cmd, $moment);
    }

    private static function isNewer(jeenergieCmd $cmd, $value, int $moment): bool
    {
        $known = Moment::ofValue($cmd);
        if ($known === null || $moment > $known) {
            return true;
        }
        $stored = $cmd->execCmd();
        return self::isEmpty($stored) || ($moment === $known && $stored !== $cmd->formatValue($value));
    }

    private static function isOlder(jeenergieCmd $cmd, int $moment): bool
    {
        $known = Moment::ofValue($cmd);
        return $known === null || $moment - $known > self::SAME_S;
    }

    private static function isEmpty($stored): bool
    {
        return $stored === '' || $stored === null;
    }

    /**
     * The core caches a value before it tells scenarios and writes the history. The daemon repeats the request, for which the
     * value must not be known yet.
     */
    private static function throwIfDatabaseIsGone(jeenergieCmd $cmd): void
    {
        try {
            DB::Prepare('SELECT 1', []);
        } catch (Throwable $gone) {
            try {
                $cmd->setCache('value', '');
            } catch (Throwable $error) {
                throw $gone; // the cache is in the database
            }
            throw $gone;
        }
    }
}
