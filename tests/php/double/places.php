<?php

/** The objects of Jeedom, visible all of them; a test says by "objects" which ids there are. */
final class jeeObject
{
    private $id;
    private $name = '';

    public static function all(): array
    {
        return array_map(static function ($id): self {
            $object = new self();
            $object->id = $id;
            $object->name = Memory::$config['names of objects'][$id] ?? 'Object ' . $id;
            return $object;
        }, Memory::$config['objects'] ?? []);
    }

    public static function byId($id)
    {
        foreach (self::all() as $object) {
            if ((string) $object->id === (string) $id) {
                return $object;
            }
        }
        return false;
    }

    public function getId()
    {
        return $this->id;
    }

    public function getName(): string
    {
        return $this->name;
    }

    public function setName(string $name): self
    {
        $this->name = $name;
        return $this;
    }

    public function getIsVisible(): int
    {
        return 1;
    }

    public function setIsVisible(int $isVisible): self
    {
        return $this;
    }

    public function save(): void
    {
        $this->id = (string) (100 + count(Memory::$config['objects'] ?? []));
        Memory::$config['objects'][] = $this->id;
        Memory::$config['names of objects'][$this->id] = $this->name;
    }
}
