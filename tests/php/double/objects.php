<?php

// Stand-ins for eqLogic and cmd, with as much of their behaviour as the plugin relies on.

abstract class Stored
{
    protected $id = '';
    protected $name = '';
    protected $logicalId = '';
    protected $configuration = [];
    protected $display = [];
    protected $_changed = false;
    private $_others = [];

    /** Every getX() and setX() of the core that does nothing but keep a value. */
    public function __call(string $method, array $arguments)
    {
        $name = lcfirst(substr($method, 3));
        $isOwn = property_exists($this, $name);
        $before = $isOwn ? $this->$name : $this->_others[$name] ?? null;
        if (strpos($method, 'get') === 0) {
            return $before;
        }
        $this->_changed = $this->_changed || $before != $arguments[0];
        if ($isOwn) {
            $this->$name = $arguments[0];
        } else {
            $this->_others[$name] = $arguments[0];
        }
        return $this;
    }

    public function getConfiguration($key = '', $default = '')
    {
        if ($key === '') {
            return $this->configuration;
        }
        return ($this->configuration[$key] ?? '') === '' ? $default : $this->configuration[$key];
    }

    public function setConfiguration($key, $value)
    {
        $this->_changed = $this->_changed || ($this->configuration[$key] ?? null) !== $value;
        if ($value === null) {
            unset($this->configuration[$key]);
        } else {
            $this->configuration[$key] = $value;
        }
        return $this;
    }

    public function getDisplay($key, $default = '')
    {
        return $this->display[$key] ?? $default;
    }

    public function setDisplay($key, $value)
    {
        $this->display[$key] = $value;
        return $this;
    }

    public function getCache($key, $default = '')
    {
        return Memory::$cache[static::class . $this->id][$key] ?? $default;
    }

    public function setCache($key, $value): void
    {
        Memory::$cache[static::class . $this->id][$key] = $value;
    }

    public function getChanged(): bool
    {
        return $this->_changed;
    }

    /** As the core: some characters go, and the rest is cut after 127 bytes, wherever that is. */
    public function setName($name)
    {
        $name = trim(substr(cleanComponanteName($name), 0, 127));
        $this->_changed = $this->_changed || $name !== $this->name;
        $this->name = $name;
        return $this;
    }

    /** The database wants names unique in their place, and text that is text; an empty place has no such rule. */
    protected function refuseName(array $others): void
    {
        if (!mb_check_encoding($this->name, 'UTF-8')) {
            throw new Exception('[MySQL] Error code : HY000 (1366). Incorrect string value');
        }
        foreach ($this->place() === '' ? [] : $others as $other) {
            if ($other->getId() != $this->id && $other->place() === $this->place() && collated($other->name) === collated($this->name)) {
                throw new Exception('[MySQL] Error code : 23000 (1062). Duplicate entry');
            }
        }
    }
}

class eqLogic extends Stored
{
    public const UIDDELIMITER = '__';

    protected $isEnable = 0;
    protected $isVisible = 0;
    protected $category = [];
    protected $object_id;
    protected $eqType_name;

    public static function byId($id)
    {
        return isset(Memory::$eqLogics[$id]) ? clone Memory::$eqLogics[$id] : null;
    }

    public static function byType($type, $onlyEnabled = false): array
    {
        return array_values(array_map(fn($each) => clone $each, array_filter(
            Memory::$eqLogics,
            fn($each): bool => !$onlyEnabled || $each->getIsEnable() == 1
        )));
    }

    public static function byTypeAndSearchConfiguration($type, array $wanted): array
    {
        return array_values(array_filter(self::byType($type), fn($each): bool =>
            array_intersect_assoc($wanted, array_filter($each->getConfiguration(), 'is_scalar')) == $wanted));
    }

    public function getId()
    {
        return $this->id;
    }

    public function getName(): string
    {
        return $this->name;
    }

    public function getHumanName(): string
    {
        return '[' . $this->name . ']';
    }

    public function getObject()
    {
        return jeeObject::byId($this->object_id);
    }

    public function getIsEnable()
    {
        return $this->isEnable;
    }

    public function setIsEnable($isEnable)
    {
        $this->isEnable = (int) $isEnable;
        return $this;
    }

    public function getCategory($key = '')
    {
        return $this->category;
    }

    public function setCategory($key, $value)
    {
        $this->category[$key] = $value;
        return $this;
    }

    public function preToHtml($version)
    {
        return $this->isEnable ? ['#id#' => $this->id, '#name_display#' => $this->name] : '';
    }

    public function postToHtml($version, $html): string
    {
        return $html;
    }

    public function toHtml($version = 'dashboard')
    {
        return 'tile of the core';
    }

    public function getImage()
    {
        return 'plugin.png';
    }

    public function getCustomImage(): ?string
    {
        return null;
    }

    public function setEqType_name($type)
    {
        $this->eqType_name = $type;
        return $this;
    }

    public function getCmd($type = null, $logicalId = null, $visible = null)
    {
        $cmds = array_values(array_filter(array_map(fn(cmd $cmd) => clone $cmd, Memory::$cmds), fn(cmd $cmd): bool =>
            $cmd->getEqLogic_id() == $this->id && ($type === null || $cmd->getType() === $type)
            && ($logicalId === null || $cmd->getLogicalId() === $logicalId)
            && ($visible === null || $cmd->getIsVisible() == $visible)));
        array_map(fn(cmd $cmd) => $cmd->setEqLogic($this), $cmds);
        return $logicalId === null ? $cmds : ($cmds[0] ?? null);
    }

    public function checkAndUpdateCmd($cmd, $value, $date = null): void
    {
        if ($cmd->execCmd() !== $value || is_string($date)) {
            $cmd->event($value, $date);
        }
    }

    public function setStatus(array $status): void
    {
        foreach ($status as $key => $value) {
            Memory::$cache['status' . $this->id][$key] = $value;
        }
    }

    public function getStatus($key, $default = '')
    {
        if (is_array($key)) {
            return array_combine($key, array_map(fn(string $each) => $this->getStatus($each, $default), $key));
        }
        return Memory::$cache['status' . $this->id][$key] ?? $default;
    }

    public function toArray(): array
    {
        return ['id' => $this->id, 'name' => $this->name, 'configuration' => $this->configuration];
    }

    public function save($direct = false)
    {
        if ($this->name === '') {
            throw new Exception('the core prints the whole object');
        }
        $direct || $this->preSave();
        $this->id = $this->id === '' ? max(array_keys(Memory::$eqLogics + [0])) + 1 : $this->id;
        $this->store();
        $direct || $this->postSave();
        $this->_changed = false;
    }

    /** The core writes a row whole, as this object has it. */
    public function store(): void
    {
        $this->encrypt();
        Memory::let('store');
        $this->refuseName(Memory::$eqLogics);
        $stored = clone $this;
        $this->decrypt();
        $stored->decrypt();
        $stored->_changed = false;
        Memory::$eqLogics[$this->id] = $stored;
    }

    public function place(): string
    {
        return (string) $this->object_id;
    }

    public function refreshWidget(): void
    {
        Memory::$events[] = ['refreshWidget', [$this->id]];
    }

    /** As the core: the moment at which a battery was last charged is written with the whole row. */
    public function batteryStatus($percent = '', $date = '')
    {
        if ($percent > 90 && $percent > (float) $this->getStatus('battery') * 1.5) {
            $this->setConfiguration('batterytime', date('Y-m-d H:i:s'));
            $this->save(true);
        }
        $this->setStatus(['battery' => $percent]);
    }

    public function remove()
    {
        foreach ($this->getCmd() as $cmd) {
            $cmd->remove();
        }
        unset(Memory::$eqLogics[$this->id]);
        return true;
    }
}

class cmd extends Stored
{
    protected $type = '';
    protected $isHistorized = 0;
    protected $eqLogic_id = '';
    protected $_eqLogic;

    public static function byId($id)
    {
        return isset(Memory::$cmds[$id]) ? clone Memory::$cmds[$id] : null;
    }

    public function getId()
    {
        return $this->id;
    }

    public function getName(): string
    {
        return $this->name;
    }

    public function getHumanName(): string
    {
        return '[' . $this->name . ']';
    }

    public function setTemplate($version, $template)
    {
        return $this;
    }

    public function setEqLogic($eqLogic)
    {
        $this->_eqLogic = $eqLogic;
        return $this;
    }

    public function getEqLogic()
    {
        return $this->_eqLogic ?? eqLogic::byId($this->eqLogic_id);
    }

    public function getCmdValue()
    {
        return self::byId($this->getValue()) ?? false;
    }

    public function execCmd($options = null)
    {
        if ($this->type === 'action') {
            Memory::$events[] = ['executed', [$this->id, $options]];
            (Memory::$config['execute'] ?? 'is_object')($this);
        }
        return $this->getCache('value', '');
    }

    /** Parameters of the widget come last, as in the core, which shows 0 for a number without a value. */
    public function toHtml($version = 'dashboard', $options = '')
    {
        $value = $this->execCmd();
        $state = $this->getSubType() === 'numeric' && trim((string) $value) === '' ? 0 : $value;
        $tags = array_merge(['state' => $state, 'value' => $state], $this->getDisplay('parameters') ?: []);
        return '<b>' . $this->logicalId . ' ' . $version . '</b>'
            . ($this->type === 'info' ? '<i>' . $tags['value'] . '|' . $tags['state'] . '</i>' : '');
    }

    public function formatValue($value)
    {
        return is_numeric($value) ? (float) $value : $value;
    }

    /** Historizing a value reads the command again (`history::save` of the core 4.5.3), and fails if it is gone. */
    public function event($value, $date = null): void
    {
        Memory::let('value');
        if (!isset(Memory::$cmds[$this->id])) {
            throw new Error('Call to a member function getConfiguration() on bool');
        }
        $this->setCache('value', $value);
        $this->setCache('collectDate', is_string($date) ? $date : date('Y-m-d H:i:s', Memory::$now ?: time()));
        $this->getEqLogic()->setStatus(['lastCommunication' => $this->getCache('collectDate'), 'timeout' => 0]);
        Memory::$events[] = ['cmd::event', [$this->logicalId, $value, $date]];
        Memory::let('cached'); // scenarios and what is computed from it
        if ($this->isHistorized == 1) {
            Memory::$recorded[] = [$this->id, $this->getCache('collectDate'), $value];
        }
        if ($this->getGeneric_type() === 'BATTERY' && $this->getUnite() === '%') {
            $this->getEqLogic()->batteryStatus($value);
        }
    }

    public function place(): string
    {
        return (string) $this->eqLogic_id;
    }

    public function store(): void
    {
        $this->refuseName(Memory::$cmds);
        $stored = clone $this;
        $stored->_changed = false;
        $stored->_eqLogic = null;
        Memory::$cmds[$this->id] = $stored;
    }

    public function addHistoryValue($value, $date): void
    {
        Memory::$queries[] = ['live', [$this->id, $date, $value]];
    }

    public function save($direct = false)
    {
        $direct || $this->preSave();
        $this->id = $this->id === '' ? max(array_keys(Memory::$cmds + [0])) + 1 : $this->id;
        $this->_changed = false;
        $this->store();
        $this->postSave();
    }

    public function remove()
    {
        unset(Memory::$cmds[$this->id]);
        $this->postRemove();
    }
}
