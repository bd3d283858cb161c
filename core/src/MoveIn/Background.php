<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use cache;
use DB;
use eqLogic;
use Exception;
use jeenergie;
use Jeenergie\Storage\DataFolder;
use log;
use Throwable;
use utils;

/**
 * Runs a move or its undoing outside the user's request, one at a time, and goes on with one that was interrupted.
 */
final class Background
{
    private const LOCK = 'movein.lock';

    /** How long progress is kept without further news. */
    private const KEPT_S = 3600;

    /** @return array[] for the page: {plugin, title, backendName, equipment: n, state, canUndo, report, begun, ended} */
    public static function list(): array
    {
        $list = [];
        foreach (Former::present() as $plugin => $former) {
            $journal = Journal::of($plugin);
            $list[] = [
                'plugin' => $plugin,
                'title' => $former->title(),
                'backend' => $former->backend(),
                'equipment' => count($former->equipment()),
                'state' => $journal === null ? 'none' : $journal->get('state'),
                'report' => $journal === null ? [] : $journal->get('report', []),
                'ended' => $journal === null ? null : $journal->get('ended'),
                'progress' => (object) jeenergie::dictionary(cache::byKey(self::key($plugin))->getValue('')),
            ];
        }
        return $list;
    }

    /** The dry run. */
    public static function plan(string $plugin): array
    {
        $plan = new MovePlan(Former::of($plugin));
        $made = $plan->made();
        return $made + ['uses' => $plan->uses($made)];
    }

    /** @throws Exception if one is under way, with a sentence for the user */
    public static function move(string $plugin): void
    {
        $former = Former::of($plugin);
        self::refuseSecond($plugin, 'done');
        Move::begin($former);
        self::start();
    }

    /** @throws Exception if there is nothing to undo, with a sentence for the user */
    public static function undo(string $plugin): void
    {
        $former = Former::of($plugin);
        $journal = Journal::of($plugin);
        if ($journal === null || in_array($journal->get('state'), ['undone', 'undoing'], true)) {
            throw new Exception(__('Il n\'y a rien à annuler.', __FILE__));
        }
        $lock = DataFolder::lock(self::LOCK, 0);
        if ($lock === null) {
            throw new Exception(__('Une reprise est en cours : attendez qu\'elle soit finie.', __FILE__));
        }
        Undo::begin($former, $journal);
        fclose($lock);
        self::start();
    }

    private static function refuseSecond(string $plugin, string $state): void
    {
        $journal = Journal::of($plugin);
        if (Journal::unfinished() !== []) {
            throw new Exception(__('Une reprise est en cours : attendez qu\'elle soit finie.', __FILE__));
        }
        if ($journal !== null && $journal->get('state') === $state) {
            throw new Exception(__('Ce plugin a déjà été repris. Annulez d\'abord la reprise pour la refaire.', __FILE__));
        }
    }

    private static function start(): void
    {
        utils::executeAsync('jeenergie', 'runMoveIn', []);
    }

    /** Called every minute: goes on with what a restart of the machine has interrupted. */
    public static function resume(): void
    {
        if (Journal::unfinished() !== []) {
            self::run();
        }
    }

    /** Runs what is not finished; does nothing if another process does. */
    public static function run(): void
    {
        $lock = DataFolder::lock(self::LOCK, 0);
        if ($lock === null) {
            return;
        }
        set_time_limit(0);
        foreach (Journal::unfinished() as $journal) {
            try {
                $former = Former::of($journal->get('plugin'));
                $work = $journal->get('state') === 'undoing' ? new Undo($former, $journal) : new Move($former, $journal);
                $work->run();
            } catch (Throwable $error) {
                // Goes on in a minute: what has failed may be passing, and what is done is not done again.
                log::add('jeenergie', 'error', sprintf(
                    __('La reprise de « %1$s » s\'est arrêtée : %2$s', __FILE__),
                    $journal->get('plugin'),
                    $error->getMessage()
                ));
                $journal->report([$error->getMessage()]);
            }
        }
        fclose($lock);
    }

    public static function progress(string $plugin, string $step, int $percent): void
    {
        cache::set(self::key($plugin), ['step' => $step, 'percent' => $percent], self::KEPT_S);
    }

    /** The core keeps tiles as they were drawn. */
    public static function forgetCaches(): void
    {
        foreach (DB::Prepare('SELECT `id` FROM `eqLogic`', [], DB::FETCH_TYPE_ALL) as $row) {
            $eqLogic = eqLogic::byId($row['id']);
            if (is_object($eqLogic)) {
                $eqLogic->emptyCacheWidget();
            }
        }
    }

    private static function key(string $plugin): string
    {
        return 'jeenergie::moveIn::' . $plugin;
    }
}
