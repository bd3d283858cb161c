<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Equipment\Commands;

/**
 * What a tile is made of, read once: an equipment, its commands and its connection.
 *
 * A dashboard asks for a hundred tiles in one request; what they share is kept for its second: a connection, and the rows
 * that hold with equal settings.
 */
final class Subject
{
    private const KEPT_S = 1.0;

    /** @var jeenergie */
    public $eqLogic;

    /** @var cmd[] by logicalId */
    public $commands;

    /** @var array[]|null by logicalId */
    private $rows;

    /** @var array{until: float, connections: array, rows: array} */
    private static $kept = ['until' => 0.0, 'connections' => [], 'rows' => []];

    public function __construct(jeenergie $eqLogic)
    {
        $this->eqLogic = $eqLogic;
        $this->commands = Commands::existing($eqLogic);
    }

    public static function forget(): void
    {
        self::$kept = ['until' => microtime(true) + self::KEPT_S, 'connections' => [], 'rows' => []];
    }

    public function connection(): ?jeenergie
    {
        if (microtime(true) > self::$kept['until']) {
            self::forget();
        }
        $id = (string) $this->eqLogic->getConfiguration('connection');
        if (!array_key_exists($id, self::$kept['connections'])) {
            $connection = $this->eqLogic->connection();
            self::$kept['connections'][$id] = [$connection, $connection === null ? [] : $connection->config()];
        }
        return self::$kept['connections'][$id][0];
    }

    /** Rows of commands that apply with its settings, by logicalId. */
    public function rows(): array
    {
        if ($this->rows !== null) {
            return $this->rows;
        }
        $this->connection();
        $settings = $this->eqLogic->config();
        foreach (self::$kept['connections'][(string) $this->eqLogic->getConfiguration('connection')][1] as $key => $value) {
            $settings['connection.' . $key] = $value;
        }
        [$backend, $type] = [$this->eqLogic->backend(), $this->eqLogic->type()];
        $key = md5(serialize([$backend, $type, $settings]));
        self::$kept['rows'][$key] = self::$kept['rows'][$key]
            ?? Catalogue::applicableRows($backend, $type, $settings);
        return $this->rows = self::$kept['rows'][$key];
    }
}
